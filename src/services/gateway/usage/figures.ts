import * as z from "zod";
import { NO_PARTS, type TokenParts, type TokenUsage } from "./token-usage.ts";

/** No request is near it; a figure above it is a fault of the upstream, and sums stay exact integers. */
const MOST_TOKENS = 100_000_000;

/** Whatever is not a whole number of tokens (negative, fractional, huge, text) reads as not given. */
const count = z
  .number()
  .int()
  .min(0)
  .max(MOST_TOKENS)
  // Turns -0 into 0.
  .transform((tokens) => tokens + 0)
  .nullish()
  .catch(null);
const openaiDetails = z
  .object({ cached_tokens: count, audio_tokens: count, reasoning_tokens: count })
  .nullish()
  .catch(null);
const openaiUsage = z.object({
  prompt_tokens: count,
  input_tokens: count,
  completion_tokens: count,
  output_tokens: count,
  total_tokens: count,
  prompt_tokens_details: openaiDetails,
  input_tokens_details: openaiDetails,
  completion_tokens_details: openaiDetails,
  output_tokens_details: openaiDetails,
});
const anthropicUsage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish().catch(null),
});

/**
 * A `usage` object of chat completions and embeddings (https://platform.openai.com/docs/api-reference/chat/object) or
 * of responses, images and transcriptions, which name the same things input and output. Null when it tells nothing.
 */
export function openaiFigures(usage: unknown): TokenUsage | null {
  const parsed = openaiUsage.safeParse(usage);
  if (!parsed.success) return null;
  const { data } = parsed;
  const input = data.prompt_tokens ?? data.input_tokens ?? null;
  const output = data.completion_tokens ?? data.output_tokens ?? null;
  const inputDetails = data.prompt_tokens_details ?? data.input_tokens_details;
  const outputDetails = data.completion_tokens_details ?? data.output_tokens_details;
  const total = data.total_tokens ?? null;
  // Embeddings have no output and say so by a total that is the input.
  const told = output ?? (input !== null && total === input ? 0 : null);
  const reasoning = outputDetails?.reasoning_tokens ?? 0;
  // Some upstreams leave reasoning out of the output; their total tells.
  const apart = input !== null && told !== null && total === input + told + reasoning;
  return tokenUsage(input, told !== null && apart ? told + reasoning : told, {
    ...NO_PARTS,
    cacheRead: inputDetails?.cached_tokens ?? 0,
    inputAudio: inputDetails?.audio_tokens ?? 0,
    outputAudio: outputDetails?.audio_tokens ?? 0,
  });
}

/**
 * The `usage` objects of one message (https://docs.anthropic.com/en/api/messages): a stream tells the input at its start
 * and the output at its end, each counted from the beginning, so the larger figure counts. `input_tokens` leaves the
 * cached tokens out there; here they are in. Null when nothing is told.
 */
export function anthropicFigures(...usages: readonly unknown[]): TokenUsage | null {
  const found = new Map<string, number>();
  let hour = 0;
  for (const usage of usages) {
    const parsed = anthropicUsage.safeParse(usage);
    if (!parsed.success) continue;
    for (const [name, value] of Object.entries(parsed.data))
      if (typeof value === "number") found.set(name, Math.max(value, found.get(name) ?? 0));
    hour = Math.max(hour, parsed.data.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  }
  const cacheRead = found.get("cache_read_input_tokens") ?? 0;
  const cacheWrite = found.get("cache_creation_input_tokens") ?? 0;
  const fresh = found.get("input_tokens");
  const input = fresh === undefined ? null : fresh + cacheRead + cacheWrite;
  const parts = { ...NO_PARTS, cacheRead, cacheWrite, cacheWriteHour: Math.min(hour, cacheWrite) };
  return tokenUsage(input, found.get("output_tokens") ?? null, parts);
}

function tokenUsage(input: number | null, output: number | null, parts: TokenParts): TokenUsage | null {
  if (input === null && output === null) return null;
  const fits =
    parts.cacheRead + parts.cacheWrite <= (input ?? 0) &&
    parts.inputAudio <= (input ?? 0) &&
    parts.outputAudio <= (output ?? 0);
  // Shares that exceed their whole are not believed.
  return { inputTokens: input, outputTokens: output, parts: fits ? parts : NO_PARTS, estimated: false };
}

import { isObject, memberOf } from "../json-member.ts";
import { NO_PARTS, type TokenParts, type TokenUsage } from "./token-usage.ts";

/** No request is near it; a figure above it is a fault of the upstream, and sums stay exact integers. */
const MOST_TOKENS = 100_000_000;

/**
 * A `usage` object of chat completions and embeddings (https://platform.openai.com/docs/api-reference/chat/object) or
 * of responses, images and transcriptions, which name the same things input and output. Null when it tells nothing.
 */
export function openaiFigures(usage: unknown): TokenUsage | null {
  const input = count(usage, "prompt_tokens") ?? count(usage, "input_tokens");
  const output = count(usage, "completion_tokens") ?? count(usage, "output_tokens");
  const inputDetails = details(usage, "prompt_tokens_details") ?? details(usage, "input_tokens_details");
  const outputDetails =
    details(usage, "completion_tokens_details") ?? details(usage, "output_tokens_details");
  const total = count(usage, "total_tokens");
  // Embeddings have no output and say so by a total that is the input.
  const told = output ?? (input !== null && total === input ? 0 : null);
  const reasoning = count(outputDetails, "reasoning_tokens") ?? 0;
  // Some upstreams leave reasoning out of the output; their total tells.
  const apart = input !== null && told !== null && total === input + told + reasoning;
  return tokenUsage(input, told !== null && apart ? told + reasoning : told, {
    cacheRead: count(inputDetails, "cached_tokens") ?? 0,
    cacheWrite: 0,
    cacheWriteHour: 0,
    inputAudio: count(inputDetails, "audio_tokens") ?? 0,
    outputAudio: count(outputDetails, "audio_tokens") ?? 0,
  });
}

/**
 * The `usage` objects of one message (https://docs.anthropic.com/en/api/messages): a stream tells the input at its start
 * and the output at its end, each counted from the beginning, so the larger figure counts. `input_tokens` leaves the
 * cached tokens out there; here they are in. Null when nothing is told.
 */
export function anthropicFigures(...usages: readonly unknown[]): TokenUsage | null {
  const cacheRead = largest(usages, "cache_read_input_tokens") ?? 0;
  const cacheWrite = largest(usages, "cache_creation_input_tokens") ?? 0;
  const creations = usages.map((usage) => memberOf(usage, "cache_creation"));
  const hour = largest(creations, "ephemeral_1h_input_tokens") ?? 0;
  const fresh = largest(usages, "input_tokens");
  const input = fresh === null ? null : fresh + cacheRead + cacheWrite;
  const parts = { ...NO_PARTS, cacheRead, cacheWrite, cacheWriteHour: Math.min(hour, cacheWrite) };
  return tokenUsage(input, largest(usages, "output_tokens"), parts);
}

function largest(values: readonly unknown[], name: string): number | null {
  let most: number | null = null;
  for (const value of values) {
    const tokens = count(value, name);
    if (tokens !== null) most = Math.max(most ?? 0, tokens);
  }
  return most;
}

/** Whatever is not a whole number of tokens (negative, fractional, huge, text) reads as not given. */
function count(value: unknown, name: string): number | null {
  const tokens = memberOf(value, name);
  const isOne =
    typeof tokens === "number" && Number.isInteger(tokens) && tokens >= 0 && tokens <= MOST_TOKENS;
  // Turns -0 into 0.
  return isOne ? tokens + 0 : null;
}

function details(usage: unknown, name: string): unknown {
  const value = memberOf(usage, name);
  return isObject(value) ? value : undefined;
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

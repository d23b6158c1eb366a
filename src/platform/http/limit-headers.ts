import type { AmountLeft, LimitsLeft } from "./ports.ts";

const REQUESTS = namesFor("requests");
const TOKENS = namesFor("tokens");

/**
 * What a limited caller is told of its requests and tokens a minute, by the names OpenAI gave these headers
 * (https://platform.openai.com/docs/guides/rate-limits), as name, value, name, value; the reset is a duration, as in
 * `8.64s` or `120ms`.
 */
export function limitHeaders({ requests, tokens }: LimitsLeft): string[] {
  const headers: string[] = [];
  if (requests !== undefined) tell(headers, REQUESTS, requests);
  if (tokens !== undefined) tell(headers, TOKENS, tokens);
  return headers;
}

function tell(headers: string[], names: ReturnType<typeof namesFor>, left: AmountLeft): void {
  const { limit, remaining, fullInMs } = left;
  const reset = fullInMs < 1000 ? `${fullInMs}ms` : `${fullInMs / 1000}s`;
  headers.push(names.limit, String(limit), names.remaining, String(remaining), names.reset, reset);
}

/** Put together once: a name made anew for each answer costs as much as its value. */
function namesFor(what: "requests" | "tokens"): { limit: string; remaining: string; reset: string } {
  return {
    limit: `x-ratelimit-limit-${what}`,
    remaining: `x-ratelimit-remaining-${what}`,
    reset: `x-ratelimit-reset-${what}`,
  };
}

import type { AmountLeft, LimitsLeft } from "./ports.ts";

/**
 * What a limited caller is told of its requests and tokens a minute, by the names OpenAI gave these headers
 * (https://platform.openai.com/docs/guides/rate-limits); the reset is a duration, as in `8.64s` or `120ms`.
 */
export function limitHeaders({ requests, tokens }: LimitsLeft): Record<string, string> {
  return { ...headersOf("requests", requests), ...headersOf("tokens", tokens) };
}

function headersOf(what: "requests" | "tokens", left: AmountLeft | undefined): Record<string, string> {
  if (left === undefined) return {};
  const { limit, remaining, fullInMs } = left;
  return {
    [`x-ratelimit-limit-${what}`]: String(limit),
    [`x-ratelimit-remaining-${what}`]: String(remaining),
    [`x-ratelimit-reset-${what}`]: fullInMs < 1000 ? `${fullInMs}ms` : `${fullInMs / 1000}s`,
  };
}

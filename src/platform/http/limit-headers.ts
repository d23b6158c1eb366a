import type { RequestsLeft } from "./ports.ts";

/**
 * What a limited caller is told of its requests, by the names OpenAI gave these headers
 * (https://platform.openai.com/docs/guides/rate-limits); the reset is a duration, as in `8.64s` or `120ms`.
 */
export function limitHeaders({ limit, remaining, fullInMs }: RequestsLeft): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": String(limit),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": fullInMs < 1000 ? `${fullInMs}ms` : `${fullInMs / 1000}s`,
  };
}

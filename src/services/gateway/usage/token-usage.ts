/** The dialect an upstream answers in. */
export type UsageDialect = "openai" | "anthropic";

/** What one request used, in tokens. */
export interface TokenUsage {
  /** All input, what was read from or written to a prompt cache included; null when it is not known. */
  readonly inputTokens: number | null;
  /** All output, reasoning included; null when it is not known. */
  readonly outputTokens: number | null;
  /** Shares of the two that are priced otherwise; 0 when the upstream names none. */
  readonly parts: TokenParts;
  /** True when the gateway had to guess one of the figures. */
  readonly estimated: boolean;
}

export interface TokenParts {
  /** Of the input: read from the prompt cache. */
  readonly cacheRead: number;
  /** Of the input: written to the prompt cache. */
  readonly cacheWrite: number;
  /** Of `cacheWrite`: kept for an hour. */
  readonly cacheWriteHour: number;
  /** Of the input: sound. */
  readonly inputAudio: number;
  /** Of the output: sound. */
  readonly outputAudio: number;
}

export const NO_PARTS: TokenParts = {
  cacheRead: 0,
  cacheWrite: 0,
  cacheWriteHour: 0,
  inputAudio: 0,
  outputAudio: 0,
};

/**
 * Tokens in so many bytes of text: one for every four, rounded up. English has about four letters a token; a Chinese
 * character is three bytes and about one token, so the guess is low there, and high for code.
 */
export function estimateTokens(textBytes: number): number {
  return Math.ceil(textBytes / 4);
}

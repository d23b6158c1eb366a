import type { PriceOverride } from "#platform/config/price-override.ts";
import type { TokenUsage } from "../usage/token-usage.ts";

const NANO = 1_000_000_000;

/** What a request costs at an override's prices, in whole nano-dollars, halves rounded up. Exact: integers only. */
export function overrideCost(price: PriceOverride, usage: TokenUsage): number {
  const input = price.input_usd_per_million;
  const { cacheRead, cacheWrite } = usage.parts;
  const million =
    product((usage.inputTokens ?? 0) - cacheRead - cacheWrite, input) +
    product(cacheRead, price.cached_input_usd_per_million ?? input) +
    product(cacheWrite, price.cache_write_usd_per_million ?? input) +
    product(usage.outputTokens ?? 0, price.output_usd_per_million);
  return Number((million + 500_000n) / 1_000_000n);
}

/** Whether `text` is the name a pattern says, or begins with what stands before its star. */
export function matchesPattern(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** Tokens times nano-dollars for a million tokens. */
function product(tokens: number, usdPerMillion: number): bigint {
  return BigInt(tokens) * BigInt(Math.round(usdPerMillion * NANO));
}

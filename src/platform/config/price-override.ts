import * as z from "zod";

/** More than any price is, and small enough for exact sums. */
const MOST_USD_PER_MILLION = 100_000;

const rate = z.number().min(0).max(MOST_USD_PER_MILLION);
const pattern = z
  .string()
  .max(200)
  .regex(/^[^*]+\*?$|^\*$/, "is a name, or the beginning of one and a * at its end");

/**
 * One local price, as an operator writes it: US dollars for a million tokens. `model` and `provider` are names, or
 * beginnings of names with a `*` at the end. Cached input costs what input costs unless it is given.
 */
export const priceOverrideSchema = z.strictObject({
  model: pattern,
  provider: pattern.default("*"),
  input_usd_per_million: rate,
  output_usd_per_million: rate,
  cached_input_usd_per_million: rate.optional(),
  cache_write_usd_per_million: rate.optional(),
});
export type PriceOverride = z.infer<typeof priceOverrideSchema>;

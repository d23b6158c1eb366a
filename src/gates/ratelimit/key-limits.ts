import * as z from "zod";
import { NANO, toNano } from "./nano-usd.ts";

const MOST_REQUESTS_PER_MINUTE = 1_000_000;
const MOST_CONCURRENCY = 100_000;
/** Above this the sums of a bucket would no longer be whole numbers. */
const MOST_TOKENS_PER_MINUTE = 100_000_000_000;
const MOST_TOKENS_PER_DAY = 1_000_000_000_000;
const MOST_USD_PER_MONTH = 1_000_000;

/** The `limits` of a key as they are given, stored and shown; one that is left out does not limit. */
export const keyLimits = z
  .strictObject({
    requests_per_minute: z.int().min(1).max(MOST_REQUESTS_PER_MINUTE).optional(),
    /** How many of its requests may run at once, answers that are still being streamed among them. */
    concurrency: z.int().min(1).max(MOST_CONCURRENCY).optional(),
    tokens_per_minute: z.int().min(1).max(MOST_TOKENS_PER_MINUTE).optional(),
    /** Of the UTC day. */
    tokens_per_day: z.int().min(1).max(MOST_TOKENS_PER_DAY).optional(),
    /** Of the UTC month, in US dollars. */
    spend_usd_per_month: z
      .number()
      .positive()
      .max(MOST_USD_PER_MONTH)
      .refine((usd) => toNano(usd) / NANO === usd, "has at most nine decimals")
      .optional(),
  })
  .meta({ id: "KeyLimits" });

export type KeyLimits = z.infer<typeof keyLimits>;

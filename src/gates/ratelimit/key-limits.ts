import { z } from "zod";

/** Above this a bucket's sums would no longer be whole numbers. */
const MOST_REQUESTS_PER_MINUTE = 1_000_000;
const MOST_CONCURRENCY = 100_000;
/** A ceiling that is taken and not held would be worse than none. */
const notHeld = z
  .never({ error: "this version holds no such limit: leave it out, or it would be believed" })
  .optional();

/** The `limits` of a key as they are given, stored and shown; one that is left out does not limit. */
export const keyLimits = z.strictObject({
  requests_per_minute: z.int().min(1).max(MOST_REQUESTS_PER_MINUTE).optional(),
  /** How many of its requests may run at once, answers that are still being streamed among them. */
  concurrency: z.int().min(1).max(MOST_CONCURRENCY).optional(),
  tokens_per_minute: notHeld,
  tokens_per_day: notHeld,
  spend_usd_per_month: notHeld,
});

export type KeyLimits = z.infer<typeof keyLimits>;

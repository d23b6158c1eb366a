import * as z from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import { isAddressRange } from "#platform/lib/address-ranges.ts";

const MOST = 64;
const LONGEST_PATTERN = 512;
/** As far as 32 bits count seconds. */
const LAST_MS = 2 ** 32 * 1000 - 1;

const names = z.array(z.string().max(63)).max(32);
const models = z.array(z.string().min(1).max(LONGEST_PATTERN)).max(MOST);
const allowedIps = z
  .array(
    z
      .string()
      .max(64)
      .refine(isAddressRange, {
        error: ({ input }) => `${JSON.stringify(input)} is no IP address and no range`,
      }),
  )
  .min(1)
  .max(MOST);
const expiresAt = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .refine((ms) => ms > 0 && ms <= LAST_MS, "is between 1970 and 2106");

/** What a new key is given in a body; times are milliseconds since the Unix epoch once parsed. */
export const newKeyTerms = {
  permissions: names,
  limits: keyLimits.optional(),
  models: models.optional(),
  expires_at: expiresAt.optional(),
  allowed_ips: allowedIps.optional(),
};

const { shape } = keyLimits;

/** What a change of a key says in a body: what is absent stays, null removes. */
export const changedKeyTerms = {
  permissions: names.optional(),
  limits: z
    .strictObject({
      requests_per_minute: shape.requests_per_minute.nullable(),
      concurrency: shape.concurrency.nullable(),
      tokens_per_minute: shape.tokens_per_minute.nullable(),
      tokens_per_day: shape.tokens_per_day.nullable(),
      spend_usd_per_month: shape.spend_usd_per_month.nullable(),
    })
    .nullable()
    .optional(),
  models: models.nullable().optional(),
  expires_at: expiresAt.nullable().optional(),
  allowed_ips: allowedIps.nullable().optional(),
};

const newTerms = z.object(newKeyTerms);
const changedTerms = z.object(changedKeyTerms);

/** What a new key is given. */
export type NewKeyTerms = z.infer<typeof newTerms>;
/** What of a key is to be changed. */
export type ChangedKeyTerms = z.infer<typeof changedTerms>;

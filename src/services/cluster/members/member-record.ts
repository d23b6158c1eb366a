import * as z from "zod";

/** No cluster has more nodes; those that left do not count. */
export const MOST_NODES = 64;
/** So many records are kept and spread: those of nodes that left are dropped first, the oldest first. */
export const MOST_RECORDS = 256;
const MOST_URLS = 8;
const MOST_TLS_KEYS = 8;
const LONGEST_URL = 300;
const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** What a name of a node is made of: the rule for names of the API. */
export const nodeName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);

/**
 * A node as all members know it. `admission` rises each time that a join admits it, and only with it may the keys
 * change; `seq` rises with each other change. Of two records of a node the one of the greater admission counts, then the
 * one of the greater seq.
 */
export const memberRecord = z.strictObject({
  id: z.string().regex(/^node_[A-Za-z0-9]{16}$/),
  name: nodeName,
  /** Origins over https, the likeliest first. */
  urls: z
    .array(
      z
        .string()
        .max(LONGEST_URL)
        .regex(/^https:\/\/[^/?#@]+$/),
    )
    .max(MOST_URLS),
  /** Its own Ed25519 public key (SPKI, DER), base64url. */
  node_key: z.string().regex(/^[A-Za-z0-9_-]{59}$/),
  /** SHA-256 of the public keys (SPKI, DER) of its certificates, base64url. */
  tls_keys: z.array(base64url32).max(MOST_TLS_KEYS),
  admission: z.int().min(1),
  seq: z.int().min(1),
  /** It left, or was removed. */
  left: z.boolean(),
});
export type MemberRecord = Readonly<z.infer<typeof memberRecord>>;

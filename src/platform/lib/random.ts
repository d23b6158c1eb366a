import { randomBytes } from "node:crypto";

/** Where unpredictable bytes come from, handed in so that tests can seed it. */
export interface Random {
  bytes(length: number): Buffer;
}

export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

const POOL_BYTES = 4096;

/**
 * The same bytes, drawn from `random` 4 KiB at a time, since a draw costs far more than its bytes do: for the ids of
 * requests, not for secrets, which would lie in memory before they are used and after.
 */
export function pooledRandom(random: Random): Random {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  return {
    bytes: (length) => {
      if (length > POOL_BYTES) return random.bytes(length);
      if (pool.length - used < length) {
        pool = random.bytes(POOL_BYTES);
        used = 0;
      }
      used += length;
      return pool.subarray(used - length, used);
    },
  };
}

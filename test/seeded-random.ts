import type { Random } from "#platform/lib/random.ts";

/** A repeatable stream of bytes (xorshift32) for tests; never for secrets. */
export function seededRandom(seed = 1): Random {
  let state = seed | 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
  return { bytes: (length) => Buffer.from(Array.from({ length }, next)) };
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { BUCKET_CELLS, draw, holdsOne, type Level, levelOf, refill } from "./bucket.ts";

const MINUTE = 60_000n;

/** A bucket in cells of its own, full at first. */
class Bucket {
  readonly #cells = new Float64Array(BUCKET_CELLS);
  readonly #size: number;
  constructor(size: number) {
    this.#size = size;
  }

  take(nowMs: number): Level & { taken: boolean } {
    const taken = holdsOne(this.#size, refill(this.#cells, 0, this.#size, nowMs));
    if (taken) draw(this.#cells, 0, 1);
    return { taken, ...levelOf(this.#size, refill(this.#cells, 0, this.#size, nowMs)) };
  }
}

/** The same by the book: each millisecond is poured in by itself, in numbers without a limit. */
class Naive {
  #parts: bigint;
  readonly #size: bigint;
  constructor(size: number) {
    this.#size = BigInt(size);
    this.#parts = this.#size * MINUTE;
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed++) {
      this.#parts += this.#size;
      if (this.#parts > this.#size * MINUTE) this.#parts = this.#size * MINUTE;
    }
  }

  take(): { taken: boolean; remaining: number } {
    const taken = this.#parts >= MINUTE;
    if (taken) this.#parts -= MINUTE;
    return { taken, remaining: Number(this.#parts / MINUTE) };
  }
}

const steps = fc.array(fc.tuple(fc.nat({ max: 3_000 }), fc.nat({ max: 20 })), { maxLength: 40 });
const sizes = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.constantFrom(600, 60_001, 1_000_000, 10 ** 11));

test("[I14] a bucket gives what the naive one gives, however its time is cut", () => {
  fc.assert(
    fc.property(sizes, fc.nat({ max: 2 ** 42 }), steps, (size, startMs, passing) => {
      const bucket = new Bucket(size);
      const naive = new Naive(size);
      let nowMs = startMs;
      for (const [ms, takes] of passing) {
        nowMs += ms;
        naive.pass(ms);
        for (let take = 0; take < takes; take++) {
          const { taken, remaining } = bucket.take(nowMs);
          expect({ taken, remaining }).toEqual(naive.take());
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("[I14] who waits as long as he was told gets one, and a millisecond earlier none; then it is full as told", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 59_999 }), (size, offset) => {
      const emptied = (at: number) => {
        const bucket = new Bucket(size);
        bucket.take(offset);
        while (bucket.take(at).taken);
        return bucket;
      };
      const { waitMs, fullInMs } = emptied(offset).take(offset);
      expect(emptied(offset).take(offset + waitMs).taken).toBe(true);
      expect(emptied(offset).take(offset + waitMs - 1).taken).toBe(false);
      expect(emptied(offset).take(offset + fullInMs).remaining).toBe(size - 1);
      expect(emptied(offset).take(offset + fullInMs).fullInMs).toBe(Math.ceil(60_000 / size));
    }),
    { numRuns: 100 },
  );
});

test("[I14] a clock set back neither fills the bucket nor stops its refill", () => {
  const bucket = new Bucket(60);
  while (bucket.take(10_000_000).taken);
  expect(bucket.take(5_000_000)).toMatchObject({ taken: false, waitMs: 1000 });
  expect(bucket.take(5_001_000).taken).toBe(true);
});

test("[I14] threads whose times differ by a little pour the same millisecond in once", () => {
  const bucket = new Bucket(60_000);
  while (bucket.take(10_000_000).taken);
  let taken = 0;
  for (let round = 0; round < 100; round++)
    for (const nowMs of [10_000_003, 10_000_001, 10_000_002]) while (bucket.take(nowMs).taken) taken += 1;
  expect(taken).toBe(3);
});

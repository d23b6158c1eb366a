import fc from "fast-check";
import { expect, test } from "vitest";
import { Expiries } from "./expiries.ts";

test("[I10] whatever is added when, what has ended is taken in the order of its end, and nothing else is", () => {
  const step = fc.oneof(fc.record({ add: fc.nat({ max: 100 }) }), fc.record({ until: fc.nat({ max: 100 }) }));
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const expiries = new Expiries();
    let waiting: number[] = [];
    for (const [slot, one] of steps.entries())
      if ("add" in one) {
        expiries.add({ atMs: one.add, slot });
        waiting.push(one.add);
      } else {
        const taken: number[] = [];
        for (let due = expiries.take(one.until); due !== undefined; due = expiries.take(one.until))
          taken.push(due.atMs);
        expect(taken).toEqual(waiting.filter((at) => at <= one.until).toSorted((a, b) => a - b));
        waiting = waiting.filter((at) => at > one.until);
      }
  });
  fc.assert(property, { seed: 5, numRuns: 500 });
});

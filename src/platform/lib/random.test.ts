import { expect, test } from "vitest";
import { pooledRandom, type Random } from "./random.ts";

test("a pool gives each byte once, in order, and draws anew where it has too few", () => {
  const pools: Buffer[] = [];
  const counted: Random = {
    bytes: (length) => {
      const pool = Buffer.from(Array.from({ length }, (_, at) => 1 + ((at + pools.length) % 251)));
      pools.push(pool);
      return pool;
    },
  };
  const random = pooledRandom(counted);
  const first = random.bytes(16);
  expect([...first]).toEqual(Array.from({ length: 16 }, (_, at) => at + 1));
  expect([...random.bytes(16)]).toEqual(Array.from({ length: 16 }, (_, at) => at + 17));
  expect(pools).toHaveLength(1);
  for (let drawn = 32; drawn < 4096; drawn += 16) random.bytes(16);
  expect(pools).toHaveLength(1);
  expect(random.bytes(16)[0]).toBe(2);
  expect(pools).toHaveLength(2);
  expect(random.bytes(5000)).toHaveLength(5000);
  expect([...first]).toEqual(Array.from({ length: 16 }, (_, at) => at + 1));
});

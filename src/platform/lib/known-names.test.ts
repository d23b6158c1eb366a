import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { knownNames } from "./known-names.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

test("a name is judged once a spelling, in lower case and as it is spelled", () => {
  const asked: string[][] = [];
  const known = knownNames((name, spelled) => asked.push([name, spelled]));
  for (const spelled of ["Accept", "accept", "Accept", "\u212Aeep"]) known(spelled);
  expect(asked).toEqual([
    ["accept", "Accept"],
    ["accept", "accept"],
    ["keep", "\u212Aeep"],
  ]);
});

test("of the text that a name was a part of nothing is kept", () => {
  const known = knownNames((name) => name);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let number = 0; number < 500; number++) {
    const head = Buffer.from(`x-a-name-of-a-header-${number}: ${"v".repeat(30_000)}`).toString("latin1");
    known(head.slice(0, head.indexOf(":")));
  }
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000);
  expect(known("X-New")).toBe("x-new");
});

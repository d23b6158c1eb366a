import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { newKey } from "#test/seal/sealed-store.ts";
import { CHEAP } from "#test/test-seal.ts";
import { Stretching } from "./passphrase.ts";

test("[S5] one argon2id runs at a time: a cheap one that came later ends later", async () => {
  const stretching = new Stretching();
  const ended: string[] = [];
  const run = async (name: string, cost: typeof CHEAP) => {
    await stretching.begin(newKey(), { random: systemRandom, cost });
    ended.push(name);
  };
  const dear = { memoryKib: 32 * 1024, passes: 2, lanes: 1 };
  await Promise.all([
    run("dear", dear),
    run("cheap", CHEAP),
    run("dear again", dear),
    run("cheap again", CHEAP),
  ]);
  expect(ended).toEqual(["dear", "cheap", "dear again", "cheap again"]);
});

test("one that is refused keeps nobody waiting", async () => {
  const stretching = new Stretching();
  const bad = { ...CHEAP, memoryKib: 1 };
  const failing = stretching.begin(newKey(), { random: systemRandom, cost: bad });
  const next = stretching.begin(newKey(), { random: systemRandom, cost: CHEAP });
  await expect(failing).rejects.toThrow();
  expect((await next).salt).toHaveLength(16);
});

import { readdirSync, readFileSync } from "node:fs";
import { getPriority, platform } from "node:os";
import { expect, test } from "vitest";
import { argon2id } from "#platform/lib/argon2.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { HashingThreads } from "./hashing-threads.ts";
import type { SlowHash } from "./phc.ts";

const random = seededRandom(51);
const COST = { memoryKib: 4096, passes: 1, lanes: 1 };

async function hashOf(key: string): Promise<SlowHash> {
  const salt = random.bytes(16);
  const hash = await argon2id(key, { ...COST, salt, length: 32 });
  return { algorithm: "argon2id", ...COST, salt: Buffer.from(salt), hash };
}

/** The niceness of each thread of this process: field 19 of proc_pid_stat(5). */
function niceness(): number[] {
  return readdirSync("/proc/self/task").map((thread) => {
    const text = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16]);
  });
}

test("[I9] several hashes at once are each judged rightly, one after another by the same threads", async () => {
  const threads = new HashingThreads();
  const keys = Array.from({ length: 3 }, (_, number) => `imported key number ${number}`);
  const hashes = await Promise.all(keys.map(hashOf));
  for (let round = 0; round < 2; round++) {
    const found = await Promise.all(
      hashes.map((hash, at) => threads.matches(hash, keys[(at + round) % keys.length] ?? "")),
    );
    expect(found).toEqual(keys.map(() => round === 0));
  }
});

test("[I9] what cannot be computed is an error, and the next one is computed", async () => {
  const threads = new HashingThreads();
  const right = await hashOf("a key that is right");
  const wrong = { ...right, memoryKib: 1 };
  await expect(threads.matches(wrong, "a key that is right")).rejects.toThrow(/^a hash was not computed/);
  expect(await threads.matches(right, "a key that is right")).toBe(true);
});

test.runIf(platform() === "linux")("[I9] only the threads that hash give way to all others", async () => {
  const usual = getPriority();
  await new HashingThreads().matches(await hashOf("a key of ours"), "a key of theirs");
  const all = niceness();
  expect(new Set(all)).toEqual(new Set([usual, Math.min(19, usual + 10)]));
  // Those of the threads before may still be there; those of the event loop and its helpers are more.
  expect(all.filter((value) => value === usual).length).toBeGreaterThan(4);
});

test.each([
  "argon2id",
  "scrypt",
])("[I9] the event loop goes on turning while a hash of %s is computed", async (algorithm) => {
  const dear = {
    argon2id: await hashOf("a key of ours"),
    scrypt: {
      algorithm: "scrypt",
      logCost: 15,
      blockSize: 8,
      lanes: 1,
      salt: random.bytes(16),
      hash: random.bytes(32),
    },
  } as const;
  const threads = new HashingThreads();
  await threads.matches(dear.argon2id, "a key of theirs");
  let turns = 0;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  await threads.matches(algorithm === "scrypt" ? dear.scrypt : dear.argon2id, "a key of theirs");
  clearImmediate(next);
  // Computed in this thread it would be ready before the loop could turn.
  expect(turns).toBeGreaterThan(1);
});

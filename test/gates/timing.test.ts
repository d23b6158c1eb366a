import { expect, test } from "vitest";
import { GrantWriter } from "#identity/keys/grants.ts";
import { generateApiKey } from "#identity/keys/index.ts";
import { keyDigest } from "#identity/keys/key-digest.ts";
import { createKeyMemory } from "#identity/keys/key-memory.ts";
import { attachKeys, type KeyReader } from "#identity/keys/key-reader.ts";
import { KeyWriter } from "#identity/keys/key-writer.ts";
import { Secret } from "#platform/lib/secret.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";

const ROUNDS = 10_000;
const WARM_UP = 2_000;
const TOLERANCE = 0.05;
/** A busy machine can spoil many measurements, a real difference spoils them all. */
const ATTEMPTS = 15;
const PRESENTED = 1_000;

const random = seededRandom(5);
const secret = new Secret(random.bytes(32).toString("hex"));
const digest = keyDigest(secret);
const memory = createKeyMemory(0);
const writer = new KeyWriter(memory);
const grant = new GrantWriter(memory.grants).numberOf({ permissionSets: [], limits: {} });
const reader = attachKeys(memory, secret, new FakeClock());

const unknown = Array.from({ length: PRESENTED }, () => generateApiKey(random).key.expose());
const revoked = Array.from({ length: PRESENTED }, () => {
  const { id, key } = generateApiKey(random);
  writer.add({ digest: digest(key.expose()), publicId: id, grant, revoked: true, usedAtS: 0 });
  return key.expose();
});
const [first = ""] = unknown;
/** What is presented, as bytes: each time another of them, and a text that has just come, as in a request. */
const CLASSES: readonly (readonly [string, readonly Buffer[]])[] = [
  ["missing", []],
  ["malformed", bytes(["sk-something"])],
  ["malformed", bytes([`${first.slice(0, 20)}!${first.slice(21)}`])],
  ["malformed", bytes(["k".repeat(8000)])],
  ["malformed", bytes(unknown.map((text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0")))],
  ["unknown", bytes(unknown)],
  ["revoked", bytes(revoked)],
];

function bytes(texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

/** The median time of each class in nanoseconds, measured in turns, so that whatever slows one slows all. */
function medians(keys: KeyReader): number[] {
  const times = CLASSES.map(() => new Float64Array(ROUNDS));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let step = 0; step < CLASSES.length; step++) {
      // Another order each round: none is always the one that comes after the dearest.
      const index = (step + round + WARM_UP) % CLASSES.length;
      const texts = CLASSES[index]?.[1] ?? [];
      const presented = texts[(round + WARM_UP) % texts.length]?.toString("latin1");
      const before = process.hrtime.bigint();
      keys.authenticate(presented);
      const taken = Number(process.hrtime.bigint() - before);
      if (round >= 0) times[index]?.set([taken], round);
    }
  }
  return times.map((taken) => taken.sort()[ROUNDS / 2] ?? 0);
}

/** The smallest spread found, up to the first that is small enough. */
function spread(keys: KeyReader): number {
  const spreads: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = medians(keys);
    spreads.push((Math.max(...found) - Math.min(...found)) / Math.min(...found));
    if ((spreads.at(-1) ?? 1) <= TOLERANCE) break;
  }
  return Math.min(...spreads);
}

test("[A3] refusing takes the same time whatever was presented, medians of 10,000 within 5 %", () => {
  for (const [reason, [presented]] of CLASSES)
    expect(reader.authenticate(presented?.toString())).toEqual({ ok: false, reason });
  expect(spread(reader)).toBeLessThanOrEqual(TOLERANCE);
});

test("[A3] and so it does among 1,000,000 keys", () => {
  for (let number = writer.size; number < 1_000_000; number++) {
    const publicId = number.toString(36).padStart(12, "0");
    writer.add({ digest: digest(publicId), publicId, grant, revoked: false, usedAtS: 0 });
  }
  expect(spread(reader)).toBeLessThanOrEqual(TOLERANCE);
});

import { expect, test } from "vitest";
import { GrantWriter } from "#identity/keys/grants.ts";
import { generateApiKey } from "#identity/keys/index.ts";
import { keyDigest } from "#identity/keys/key-digest.ts";
import { createKeyMemory } from "#identity/keys/key-memory.ts";
import { attachKeys } from "#identity/keys/key-reader.ts";
import { KeyWriter } from "#identity/keys/key-writer.ts";
import { Secret } from "#platform/lib/secret.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";

const ROUNDS = 10_000;
const WARM_UP = 2_000;
const TOLERANCE = 0.05;
/** A busy machine can spoil many measurements, a real difference spoils them all. */
const ATTEMPTS = 15;
const FEW = 4;

const random = seededRandom(5);
const secret = new Secret(random.bytes(32).toString("hex"));
const digest = keyDigest(secret);
const memory = createKeyMemory(0);
const writer = new KeyWriter(memory);
const grant = new GrantWriter(memory.grants).numberOf({ permissionSets: [], limits: {} });
const reader = attachKeys(memory, secret, new FakeClock());

const unknown = Array.from({ length: WARM_UP + ROUNDS }, () => generateApiKey(random).key.expose());
const revoked = unknown.map(() => generateApiKey(random));
const long = "k".repeat(8000);

/** What is presented in a round: of each class with texts of keys, `several` of them in turn. */
function classes(several: number): readonly Class[] {
  const some = unknown.slice(0, several);
  const [first = ""] = some;
  return [
    { reason: "missing", presented: () => undefined },
    { reason: "malformed", presented: fresh(["sk-something"]) },
    { reason: "malformed", presented: fresh([`${first.slice(0, 20)}!${first.slice(21)}`]) },
    // Made once: making it would clear the processor's cache for what comes next.
    { reason: "malformed", presented: () => long },
    {
      reason: "malformed",
      presented: fresh(some.map((text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0"))),
    },
    { reason: "unknown", presented: fresh(some) },
    { reason: "revoked", presented: fresh(revoked.slice(0, several).map(({ key }) => key.expose())) },
  ];
}

interface Class {
  readonly reason: string;
  readonly presented: (round: number) => string | undefined;
}

/** Texts that have just come, as in a request. */
function fresh(texts: readonly string[]): (round: number) => string | undefined {
  const bytes = texts.map((text) => Buffer.from(text));
  return (round) => bytes[round % bytes.length]?.toString("latin1");
}

/** The median time of each class in nanoseconds, measured in turns, so that whatever slows one slows all. */
function medians(measured: readonly Class[]): number[] {
  const times = measured.map(() => new Float64Array(ROUNDS));
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    // Another order each round: none is always the one that comes after the dearest.
    const stride = 1 + (round % (measured.length - 1));
    for (let step = 0; step < measured.length; step++) {
      const index = (step * stride + round) % measured.length;
      const presented = measured[index]?.presented(round);
      const before = process.hrtime.bigint();
      reader.authenticate(presented);
      const taken = Number(process.hrtime.bigint() - before);
      if (round >= WARM_UP) times[index]?.set([taken], round - WARM_UP);
    }
  }
  return times.map((taken) => taken.sort()[ROUNDS / 2] ?? 0);
}

/** The smallest spread found, up to the first that is small enough. */
function spread(measured: readonly Class[]): number {
  for (const { reason, presented } of measured)
    expect(reader.authenticate(presented(0))).toEqual({ ok: false, reason });
  const spreads: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = medians(measured);
    spreads.push((Math.max(...found) - Math.min(...found)) / Math.min(...found));
    if ((spreads.at(-1) ?? 1) <= TOLERANCE) break;
  }
  return Math.min(...spreads);
}

function addRevoked(keys: typeof revoked): void {
  for (const { id, key } of keys)
    writer.add({ digest: digest(key.expose()), publicId: id, grant, revoked: true, usedAtS: 0 });
}

test("[A3] refusing takes the same time whatever was presented, medians of 10,000 within 5 %", () => {
  addRevoked(revoked.slice(0, FEW));
  expect(spread(classes(FEW))).toBeLessThanOrEqual(TOLERANCE);
});

test("[A3] and so it does among 1,000,000 keys, none of which was presented lately", () => {
  const apart = Math.floor(1_000_000 / revoked.length);
  for (let number = FEW; number < revoked.length; number++) {
    addRevoked(revoked.slice(number, number + 1));
    for (let other = 1; other < apart; other++) {
      const publicId = writer.size.toString(36).padStart(12, "0");
      writer.add({ digest: digest(publicId), publicId, grant, revoked: false, usedAtS: 0 });
    }
  }
  expect(spread(classes(revoked.length))).toBeLessThanOrEqual(TOLERANCE);
});

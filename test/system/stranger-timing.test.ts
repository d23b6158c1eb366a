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
/** Other work on the machine only ever adds: at its quickest each class takes what it really takes. */
const ATTEMPTS = 15;
const FEW = 4;

const random = seededRandom(5);
const secret = new Secret(random.bytes(32).toString("hex"));
const digest = keyDigest(secret);
const memory = createKeyMemory(0);
const writer = new KeyWriter(memory);
const grants = new GrantWriter(memory.grants);
const clock = new FakeClock();
const reader = attachKeys(memory, secret, clock);
/** Whoever presents anything is here. */
const ADDRESS = "203.0.113.7";

const TERMS = {
  revoked: { grant: grants.numberOf({ permissionSets: [], limits: {} }) },
  expired: {
    grant: grants.numberOf({ permissionSets: ["gateway"], limits: {} }),
    expiresAtMs: clock.now(),
  },
  wrong_address: {
    grant: grants.numberOf({
      permissionSets: ["gateway"],
      limits: {},
      allowedIps: ["10.0.0.0/8", "2001:db8::/32"],
    }),
  },
} as const;
type Known = keyof typeof TERMS;

const unknown = Array.from({ length: WARM_UP + ROUNDS }, () => generateApiKey(random).key.expose());
const keysOf = () => unknown.map(() => generateApiKey(random));
const known = { revoked: keysOf(), expired: keysOf(), wrong_address: keysOf() };
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
    ...(["revoked", "expired", "wrong_address"] as const).map((reason) => ({
      reason,
      presented: fresh(known[reason].slice(0, several).map(({ key }) => key.expose())),
    })),
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
      reader.authenticate(presented, ADDRESS);
      const taken = Number(process.hrtime.bigint() - before);
      if (round >= WARM_UP) times[index]?.set([taken], round - WARM_UP);
    }
  }
  return times.map((taken) => taken.sort()[ROUNDS / 2] ?? 0);
}

/** The spread of what each class takes at its quickest, measured until it is small enough. */
function spread(measured: readonly Class[]): number {
  for (const { reason, presented } of measured)
    expect(reader.authenticate(presented(0), ADDRESS)).toEqual({ ok: false, reason });
  let quickest = medians(measured);
  const found = () => Math.max(...quickest) / Math.min(...quickest) - 1;
  for (let attempt = 1; attempt < ATTEMPTS && found() > TOLERANCE; attempt++) {
    const again = medians(measured);
    quickest = quickest.map((took, index) => Math.min(took, again[index] ?? took));
  }
  return found();
}

function add(reason: Known, from: number, until: number): void {
  for (const { id, key } of known[reason].slice(from, until))
    writer.add({
      digest: digest(key.expose()),
      publicId: id,
      revoked: reason === "revoked",
      usedAtS: 0,
      ...TERMS[reason],
    });
}

test("[A3] refusing takes the same time whatever was presented, medians of 10,000 within 5 %", () => {
  for (const reason of ["revoked", "expired", "wrong_address"] as const) add(reason, 0, FEW);
  expect(spread(classes(FEW))).toBeLessThanOrEqual(TOLERANCE);
});

test("[A3] and so it does among 1,000,000 keys, none of which was presented lately", () => {
  // Each far from the others, for neighbours are fetched together.
  const apart = Math.floor(1_000_000 / (unknown.length * 3));
  for (let number = FEW; number < unknown.length; number++)
    for (const reason of ["revoked", "expired", "wrong_address"] as const) {
      add(reason, number, number + 1);
      for (let other = 1; other < apart; other++) {
        const publicId = writer.size.toString(36).padStart(12, "0");
        const { grant } = TERMS.revoked;
        writer.add({ digest: digest(publicId), publicId, grant, revoked: false, usedAtS: 0 });
      }
    }
  expect(spread(classes(unknown.length))).toBeLessThanOrEqual(TOLERANCE);
});

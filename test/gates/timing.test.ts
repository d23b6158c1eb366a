import { expect, test } from "vitest";
import { DigestTable } from "#identity/keys/digest-table.ts";
import { generateApiKey } from "#identity/keys/index.ts";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";

const ROUNDS = 10_000;
const WARM_UP = 2_000;
const TOLERANCE = 0.05;
/** A busy machine can spoil many measurements, a real difference spoils them all. */
const ATTEMPTS = 15;

const random = seededRandom(5);
const table = new DigestTable(new Secret(random.bytes(32).toString("hex")));
const unknown = generateApiKey(random).key.expose();
const revoked = generateApiKey(random);
table.add({
  id: `key_${revoked.id}`,
  slot: 0,
  name: "revoked",
  digest: table.digest(revoked.key.expose()),
  last4: "",
  permissionSets: [],
  limits: {},
  createdAt: 0,
  revokedAt: 1,
  lastUsedAt: null,
});
const CLASSES: readonly (readonly [string, string | undefined])[] = [
  ["missing", undefined],
  ["malformed", "sk-something"],
  ["malformed", `${unknown.slice(0, 20)}!${unknown.slice(21)}`],
  ["malformed", "k".repeat(8000)],
  ["malformed", unknown.slice(0, -1) + (unknown.endsWith("0") ? "1" : "0")],
  ["unknown", unknown],
  ["revoked", revoked.key.expose()],
];

/** The median time of each class in nanoseconds, measured in turns, so that whatever slows one slows all. */
function medians(): number[] {
  const times = CLASSES.map(() => new Float64Array(ROUNDS));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let step = 0; step < CLASSES.length; step++) {
      // Another order each round: none is always the one that comes after the dearest.
      const index = (step + round + WARM_UP) % CLASSES.length;
      const before = process.hrtime.bigint();
      table.authenticate(CLASSES[index]?.[1]);
      const taken = Number(process.hrtime.bigint() - before);
      if (round >= 0) times[index]?.set([taken], round);
    }
  }
  return times.map((taken) => taken.sort()[ROUNDS / 2] ?? 0);
}

test("[A3] refusing takes the same time whatever was presented, medians of 10,000 within 5 %", () => {
  for (const [reason, presented] of CLASSES)
    expect(table.authenticate(presented)).toEqual({ ok: false, reason });
  const spreads: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = medians();
    spreads.push((Math.max(...found) - Math.min(...found)) / Math.min(...found));
    if ((spreads.at(-1) ?? 1) <= TOLERANCE) break;
  }
  expect(Math.min(...spreads)).toBeLessThanOrEqual(TOLERANCE);
});

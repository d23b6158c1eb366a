import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { generateApiKey } from "./api-key.ts";
import { type Grant, GrantReader, GrantWriter } from "./grants.ts";
import { keyDigest } from "./key-digest.ts";
import { createKeyMemory } from "./key-memory.ts";
import { attachKeys } from "./key-reader.ts";
import { KeyTable } from "./key-table.ts";
import { KeyWriter } from "./key-writer.ts";

const random = seededRandom(4);
const secret = new Secret(random.bytes(32).toString("hex"));
const digest = keyDigest(secret);
const GRANTS: readonly Grant[] = [
  { permissionSets: [], limits: {} },
  { permissionSets: ["gateway"], limits: { requests_per_minute: 5 } },
  { permissionSets: ["viewer", "gateway"], limits: { concurrency: 1 } },
];

function openTable(capacity: number) {
  const memory = createKeyMemory(0, capacity);
  const [writer, grants] = [new KeyWriter(memory), new GrantWriter(memory.grants)];
  const reader = attachKeys(memory, secret, new FakeClock());
  const add = (made: { id: string; key: Secret }, grant: Grant | undefined, revoked = false) =>
    writer.add({
      digest: digest(made.key.expose()),
      publicId: made.id,
      grant: grants.numberOf(grant ?? { permissionSets: [], limits: {} }),
      revoked,
      usedAtS: 0,
    });
  return { memory, writer, reader, add };
}

describe("the table of keys", () => {
  it("[I10] among 100,000 keys each is found, none is taken for another, and no other is", () => {
    const { reader, writer, add } = openTable(100_000);
    const made = Array.from({ length: 100_000 }, (_, number) => numbered(number));
    for (const [number, key] of made.entries()) add(key, GRANTS[number % 3]);
    const wrong = made.filter(({ id, key }, slot) => {
      const verdict = reader.authenticate(key.expose());
      return !(verdict.ok && verdict.key.id === `key_${id}` && verdict.key.slot === slot);
    });
    expect(wrong).toEqual([]);
    expect(made.filter(({ id }, slot) => writer.slotOf(id) !== slot)).toEqual([]);
    expect(made.filter(({ id }, slot) => writer.publicIdOf(slot) !== id)).toEqual([]);
    for (let number = 0; number < 10_000; number++) {
      const { id, key } = numbered(100_000 + number);
      expect(reader.authenticate(key.expose())).toEqual({ ok: false, reason: "unknown" });
      expect(writer.slotOf(id)).toBeUndefined();
    }
  });

  it("[I10] [I11] it does what a map does, whatever is issued, revoked and presented in whatever order", () => {
    const made = Array.from({ length: 40 }, () => generateApiKey(random));
    const which = fc.nat({ max: made.length - 1 });
    const step = fc.oneof(
      fc.record({ does: fc.constant("issue" as const), which, grant: fc.nat({ max: 2 }) }),
      fc.record({ does: fc.constant("revoke" as const), which }),
      fc.record({ does: fc.constant("present" as const), which }),
    );
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { reader, writer, add } = openTable(made.length);
      const model = new Map<number, { slot: number; grant: Grant; revoked: boolean }>();
      for (const one of steps) {
        const key = made[one.which];
        const entry = model.get(one.which);
        if (key === undefined) throw new Error("there are as many keys as numbers");
        if (one.does === "issue" && entry === undefined) {
          const grant = GRANTS[one.grant] ?? { permissionSets: [], limits: {} };
          model.set(one.which, { slot: add(key, grant), grant, revoked: false });
        } else if (one.does === "revoke" && entry !== undefined) {
          expect(writer.table.revoke(entry.slot)).toBe(!entry.revoked);
          entry.revoked = true;
        }
        const now = model.get(one.which);
        expect(writer.slotOf(key.id)).toBe(now?.slot);
        expect(reader.authenticate(key.key.expose())).toEqual(
          now === undefined || now.revoked
            ? { ok: false, reason: now === undefined ? "unknown" : "revoked" }
            : { ok: true, key: { id: `key_${key.id}`, slot: now.slot, ...now.grant } },
        );
        if (now === undefined) continue;
        expect(reader.holds(now.slot)).toBe(!now.revoked);
        expect(reader.limitsOf(now.slot)).toEqual(now.grant.limits);
      }
    });
    fc.assert(property, { seed: 11, numRuns: 200 });
  });

  it("[I10] digests that begin alike are told apart by the rest, also around the end of the index", () => {
    const { memory, writer } = openTable(300);
    for (const start of [0, 5, 0xffff_ffff, 0xffff_fffe]) {
      const digests = Array.from({ length: 70 }, (_, number) => {
        const bytes = Buffer.alloc(32, 0x77);
        bytes.writeUInt32LE(start);
        // Each differs from the others in one place alone, up to the last byte.
        bytes.writeUInt8(number, 4 + (number % 28));
        return bytes;
      });
      const slots = digests.map((bytes) =>
        writer.add({
          digest: bytes,
          publicId: generateApiKey(random).id,
          grant: 0,
          revoked: false,
          usedAtS: 0,
        }),
      );
      const table = new KeyTable(memory);
      expect(digests.map((bytes) => table.find(bytes))).toEqual(slots);
      const never = Buffer.alloc(32, 0x78);
      never.writeUInt32LE(start);
      expect(table.find(never)).toBeUndefined();
    }
  });

  it("[I10] a slot without a key is nobody's", () => {
    const { reader, add } = openTable(2);
    add(generateApiKey(random), GRANTS[1]);
    for (const slot of [1, 2, 3, 1_000_000]) {
      expect(reader.holds(slot)).toBe(false);
      expect(reader.limitsOf(slot)).toBeUndefined();
    }
    expect(reader.limitsOf(0)).toEqual({ requests_per_minute: 5 });
  });

  it("[I10] a stored digest of another length is no key's, and is not taken in", () => {
    const { writer } = openTable(2);
    const key = { publicId: "0123456789AB", grant: 0, revoked: false, usedAtS: 0 };
    for (const length of [0, 31, 33])
      expect(() => writer.add({ ...key, digest: Buffer.alloc(length) })).toThrow(
        "The server made a mistake.",
      );
    expect(() => writer.add({ ...key, publicId: "0123", digest: Buffer.alloc(32, 1) })).toThrow();
    expect(writer.size).toBe(0);
  });
});

describe("grants", () => {
  it("[I10] the same has one number, each is read as it was written, and a full memory says what to do", () => {
    const memory = new SharedArrayBuffer(0, { maxByteLength: 3 * 1024 * 1024 });
    const [writer, reader] = [new GrantWriter(memory), new GrantReader(memory)];
    expect(writer.numberOf({ ...GRANTS[1], ...grant(1) })).toBe(writer.numberOf(grant(1)));
    const numbers: number[] = [];
    const fill = () => {
      for (;;) numbers.push(writer.numberOf(grant(numbers.length)));
    };
    expect(fill).toThrow(/Start it again: it then makes more room\. No key was lost/);
    expect(numbers.length).toBeGreaterThan(12_000);
    expect(numbers.filter((number, at) => reader.at(number).permissionSets[0] !== `ü${at}`)).toEqual([]);
  });
});

function grant(number: number): Grant {
  return { permissionSets: [`ü${number}`, "x".repeat(number % 300)], limits: { concurrency: 1 + number } };
}

/** Quicker than random keys, and as different. */
function numbered(number: number): { id: string; key: Secret } {
  const bytes = Buffer.from([0, 1, 2, 3].map((place) => Math.floor(number / 62 ** place) % 62));
  const turn = {
    bytes: (length: number) => Buffer.concat([bytes, Buffer.alloc(length)]).subarray(0, length),
  };
  return generateApiKey(turn);
}

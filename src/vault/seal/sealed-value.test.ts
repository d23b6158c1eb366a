import { createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { open, type Place, SealedValueError, seal } from "./sealed-value.ts";

const random = seededRandom(12);
const key = createSecretKey(systemRandom.bytes(32));
const place: Place = { table: "credential", column: "sealed", key: "cred_1" };
const plaintext = Buffer.from("an upstream's key");
const sealed = seal(place, plaintext, { key, term: 1, nonce: random.bytes(12) });
const openAt = (where: Place, bytes: Uint8Array) => open(where, bytes, () => key);

describe("the format is the documented one", () => {
  const text = readFileSync(new URL("../../../docs/formats/sealed-value.md", import.meta.url), "utf8");
  const vectors = text
    .split("### Vector ")
    .slice(1)
    .map((section) => new Map([...section.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(fieldOf)));

  test("the document has three vectors", () => {
    expect(vectors.map(({ size }) => size)).toEqual([9, 9, 9]);
  });

  test.each(vectors)("vector %#", (vector) => {
    const field = (name: string) => vector.get(name) ?? expect.fail(`no field ${name}`);
    const vectorKey = createSecretKey(Buffer.from(field("key"), "hex"));
    const where = { table: field("table"), column: field("column"), key: field("primary key") };
    const term = Number(field("term"));
    const value = seal(where, Buffer.from(field("plaintext"), "hex"), {
      key: vectorKey,
      term,
      nonce: Buffer.from(field("nonce"), "hex"),
    });
    expect(Buffer.from(value).toString("hex")).toBe(field("sealed value"));
    const opened = open(where, value, (asked) => (asked === term ? vectorKey : undefined));
    expect(opened.toString("hex")).toBe(field("plaintext"));
  });
});

test("[S12] every byte of a sealed value changed to every other value is an error", () => {
  expect(openAt(place, sealed)).toEqual(plaintext);
  for (let index = 0; index < sealed.length; index++) {
    for (let change = 1; change < 256; change++) {
      const damaged = Buffer.from(sealed);
      damaged.writeUInt8(damaged.readUInt8(index) ^ change, index);
      expect(() => openAt(place, damaged)).toThrow(SealedValueError);
    }
  }
});

test("[S12] a sealed value cut to any length, or made longer, is an error", () => {
  for (let length = 0; length < sealed.length; length++) {
    expect(() => openAt(place, sealed.subarray(0, length))).toThrow(SealedValueError);
    expect(() => openAt(place, sealed.subarray(sealed.length - length))).toThrow(SealedValueError);
  }
  expect(() => openAt(place, Buffer.concat([sealed, Buffer.alloc(1)]))).toThrow(SealedValueError);
});

test.each<[string, Place]>([
  ["row", { ...place, key: "cred_2" }],
  ["column", { ...place, column: "hint" }],
  ["table", { ...place, table: "provider" }],
  ["column, with the names joined alike", { ...place, table: "credentials", column: "ealed" }],
  ["row, with the names joined alike", { ...place, column: "sealedc", key: "red_1" }],
  ["empty place", { table: "", column: "", key: "" }],
])("[S12] a sealed value moved to another %s is an error", (_, elsewhere) => {
  expect(() => openAt(elsewhere, sealed)).toThrow(SealedValueError);
});

test("[S12] another term is an error, even if it had the same key; so is a term without a key", () => {
  const other = seal(place, plaintext, { key, term: 2, nonce: random.bytes(12) });
  const relabelled = Buffer.concat([sealed.subarray(0, 5), other.subarray(5)]);
  expect(() => openAt(place, relabelled)).toThrow(SealedValueError);
  expect(() => open(place, sealed, (term) => (term === 2 ? key : undefined))).toThrow(SealedValueError);
});

test("the error names the place to the operator and says nothing of it in public", () => {
  const damaged = Buffer.from(sealed).fill(0, 20);
  expect(() => openAt(place, damaged)).toThrow(
    expect.objectContaining({
      message: "A stored secret is damaged or was moved.",
      detail: expect.stringContaining('credential.sealed of "cred_1"'),
    }),
  );
});

test("what is sealed opens at its place alone, whatever the bytes and names", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 20 });
  const anyPlace = fc.record({ table: name, column: name, key: name });
  const anyBytes = fc.uint8Array({ maxLength: 300 });
  const anyTerm = fc.nat(0xffff_ffff);
  fc.assert(
    fc.property(anyPlace, anyPlace, anyBytes, anyTerm, (where, elsewhere, bytes, term) => {
      const value = seal(where, bytes, { key, term, nonce: systemRandom.bytes(12) });
      expect(value.length).toBe(bytes.length + 33);
      expect(Uint8Array.from(openAt(where, value))).toEqual(Uint8Array.from(bytes));
      fc.pre(JSON.stringify(where) !== JSON.stringify(elsewhere));
      expect(() => openAt(elsewhere, value)).toThrow(SealedValueError);
    }),
  );
});

test("a name that has no UTF-8 is refused: it would be replaced and stand for another", () => {
  const using = { key, term: 1, nonce: random.bytes(12) };
  expect(() => seal({ ...place, key: "\ud800" }, plaintext, using)).toThrow("well-formed");
});

function fieldOf([, name = "", value = ""]: readonly string[]): [string, string] {
  return [name, value];
}

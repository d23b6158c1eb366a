import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { Keyring, newTerm } from "./keyring.ts";
import { SealedValueError } from "./sealed-value.ts";

const place = { table: "credential", column: "sealed", key: "cred_1" };
const plaintext = Buffer.from("an upstream's key");

test("seals under the highest term and opens any term it has, none it has not", () => {
  const random = seededRandom(3);
  const [first, second] = [newTerm(1, random), newTerm(2, random)];
  const old = new Keyring([{ ...first, bytes: Buffer.from(first.bytes) }]);
  const both = new Keyring([second, first]);
  const sealedBefore = old.seal(place, plaintext, random);
  const sealedAfter = both.seal(place, plaintext, random);
  expect([old.writeTerm, both.writeTerm]).toEqual([1, 2]);
  expect([sealedBefore[4], sealedAfter[4]]).toEqual([1, 2]);
  expect(both.open(place, sealedBefore)).toEqual(plaintext);
  expect(both.open(place, sealedAfter)).toEqual(plaintext);
  expect(() => old.open(place, sealedAfter)).toThrow(SealedValueError);
});

test("the same plaintext sealed twice has another nonce and ciphertext", () => {
  const keyring = new Keyring([newTerm(1, systemRandom)]);
  const [one, two] = [1, 2].map(() => Buffer.from(keyring.seal(place, plaintext, systemRandom)));
  expect(one?.subarray(5, 17)).not.toEqual(two?.subarray(5, 17));
  expect(one?.subarray(17)).not.toEqual(two?.subarray(17));
});

test("the bytes handed in are zero once the keyring has them", () => {
  const terms = [newTerm(1, systemRandom), newTerm(2, systemRandom)];
  expect(terms.map(({ bytes }) => bytes.every((byte) => byte === 0))).toEqual([false, false]);
  new Keyring(terms);
  expect(terms.map(({ bytes }) => [bytes.length, bytes.every((byte) => byte === 0)])).toEqual([
    [32, true],
    [32, true],
  ]);
});

test("disposed of, it neither seals nor opens", () => {
  const keyring = new Keyring([newTerm(1, systemRandom)]);
  const sealed = keyring.seal(place, plaintext, systemRandom);
  keyring[Symbol.dispose]();
  keyring[Symbol.dispose]();
  expect(() => keyring.seal(place, plaintext, systemRandom)).toThrow("disposed");
  expect(() => keyring.open(place, sealed)).toThrow("disposed");
});

test("a keyring without a term is refused", () => {
  expect(() => new Keyring([])).toThrow("at least one term");
});

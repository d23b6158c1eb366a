import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { newTerm } from "./keyring.ts";
import { SealedValueError } from "./sealed-value.ts";
import { unwrapRoot, unwrapTerm, wrapRoot, wrapTerm } from "./wrapping.ts";

const machineKey = createSecretKey(systemRandom.bytes(32));
const rootKey = createSecretKey(systemRandom.bytes(32));

test("[S12] a wrapped term opens under its own number and root alone", () => {
  const term = newTerm(1, systemRandom);
  const wrapped = wrapTerm(rootKey, term, systemRandom);
  expect(unwrapTerm(rootKey, { term: 1, wrapped })).toEqual(term);
  expect(() => unwrapTerm(rootKey, { term: 2, wrapped })).toThrow(SealedValueError);
  expect(() => unwrapTerm(machineKey, { term: 1, wrapped })).toThrow(SealedValueError);
});

test("[S12] a wrapped root opens under its machine key alone, and a wrapped term is no root", () => {
  const root = systemRandom.bytes(32);
  const slot = { kind: "machine", key: machineKey } as const;
  const wrapped = wrapRoot(slot, root, systemRandom);
  expect(unwrapRoot(slot, wrapped)).toEqual(root);
  expect(() => unwrapRoot({ ...slot, kind: "passphrase" }, wrapped)).toThrow(SealedValueError);
  expect(() => unwrapRoot({ ...slot, key: rootKey }, wrapped)).toThrow(SealedValueError);
  const term = wrapTerm(machineKey, newTerm(1, systemRandom), systemRandom);
  expect(() => unwrapRoot(slot, term)).toThrow(SealedValueError);
});

import { createSecretKey, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { decrypt, encrypt } from "#platform/lib/aead.ts";
import { corporaDirectory, readCorpus } from "./corpus.ts";

const hexText = z.string().transform((text) => Buffer.from(text, "hex"));
const schema = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      ivSize: z.number(),
      keySize: z.number(),
      tagSize: z.number(),
      tests: z.array(
        z.object({
          tcId: z.number(),
          key: hexText,
          iv: hexText,
          aad: hexText,
          msg: hexText,
          ct: hexText,
          tag: hexText,
          result: z.enum(["valid", "invalid", "acceptable"]),
        }),
      ),
    }),
  ),
});
type Group = z.infer<typeof schema>["testGroups"][number];
type Case = Group["tests"][number];

const isOurs = (group: Group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128;

describe.skipIf(corporaDirectory === undefined)("Wycheproof AES-GCM", () => {
  test("every case of our sizes agrees, and every other size is refused", () => {
    const corpus = readCorpus("wycheproof/aes_gcm_test.json", schema);
    const counts = { valid: 0, mustFail: 0, otherSize: 0 };
    for (const group of corpus.testGroups) {
      for (const one of group.tests) {
        if (!isOurs(group)) {
          expectRefused(one);
          counts.otherSize++;
        } else if (one.result === "valid") {
          expectAgreement(one);
          counts.valid++;
        } else {
          expect(() => opened(one), `case ${one.tcId}`).toThrow();
          counts.mustFail++;
        }
      }
    }
    console.log("Wycheproof AES-GCM:", counts);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
    expect(counts.valid + counts.mustFail + counts.otherSize).toBe(corpus.numberOfTests);
  });
});

function expectAgreement(one: Case): void {
  const sealed = encrypt(createSecretKey(one.key), one.iv, one.msg, one.aad);
  expect(sealed, `case ${one.tcId}`).toEqual(Buffer.concat([one.ct, one.tag]));
  expect(opened(one), `case ${one.tcId}`).toEqual(one.msg);
}

/** By the wrapper's own check, not by a tag that happens not to fit. */
function expectRefused(one: Case): void {
  const key = createSecretKey(one.key);
  const refusal = /needs a (secret key of 32|nonce of 12) bytes/;
  expect(() => encrypt(key, one.iv, one.msg, one.aad), `case ${one.tcId}`).toThrow(refusal);
  expect(() => opened(one, key), `case ${one.tcId}`).toThrow(refusal);
}

function opened(one: Case, key: KeyObject = createSecretKey(one.key)): Buffer {
  return decrypt(key, one.iv, Buffer.concat([one.ct, one.tag]), one.aad);
}

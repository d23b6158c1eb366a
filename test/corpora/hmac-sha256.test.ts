import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { constantTimeEqual, hmacSha256 } from "#platform/lib/hmac.ts";
import { corporaDirectory, readCorpus } from "./corpus.ts";

const hexText = z.string().transform((text) => Buffer.from(text, "hex"));
const schema = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      tagSize: z.number(),
      tests: z.array(
        z.object({
          tcId: z.number(),
          key: hexText,
          msg: hexText,
          tag: hexText,
          result: z.enum(["valid", "invalid"]),
        }),
      ),
    }),
  ),
});

describe.skipIf(corporaDirectory === undefined)("Wycheproof HMAC-SHA256", () => {
  test("every case agrees; shorter tags are the beginning of the whole", () => {
    const corpus = readCorpus("wycheproof/hmac_sha256_test.json", schema);
    const counts = { valid: 0, invalid: 0 };
    for (const { tagSize, tests } of corpus.testGroups) {
      for (const { tcId, key, msg, tag, result } of tests) {
        const mac = hmacSha256(createSecretKey(key), msg).subarray(0, tagSize / 8);
        expect(constantTimeEqual(mac, tag), `case ${tcId}`).toBe(result === "valid");
        counts[result]++;
      }
    }
    console.log("Wycheproof HMAC-SHA256:", counts);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
    expect(counts.valid + counts.invalid).toBe(corpus.numberOfTests);
  });
});

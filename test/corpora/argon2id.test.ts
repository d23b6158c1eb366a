import { describe, expect, test } from "vitest";
import * as z from "zod";
import { argon2id, argon2idEncoded, argon2idMatches } from "#platform/lib/argon2.ts";
import { corporaDirectory, readCorpus } from "./corpus.ts";

const schema = z.object({
  vectors: z.array(
    z.object({
      t: z.number(),
      m_log2_KiB: z.number(),
      p: z.number(),
      password: z.string(),
      salt: z.string(),
      hash_hex: z.string(),
      encoded: z.string(),
    }),
  ),
});

describe.skipIf(corporaDirectory === undefined)("argon2id, the reference implementation's table", () => {
  test("every row agrees: raw, encoded and verified", { timeout: 60_000 }, async () => {
    const { vectors } = readCorpus("argon2/argon2id_encoded.json", schema);
    for (const row of vectors) {
      const salt = Buffer.from(row.salt);
      const input = { memoryKib: 2 ** row.m_log2_KiB, passes: row.t, lanes: row.p, salt, length: 32 };
      expect((await argon2id(row.password, input)).toString("hex"), row.encoded).toBe(row.hash_hex);
      expect(await argon2idEncoded(row.password, input)).toBe(row.encoded);
      expect(await argon2idMatches(row.encoded, row.password), row.encoded).toBe(true);
      expect(await argon2idMatches(row.encoded, `${row.password}x`), row.encoded).toBe(false);
    }
    console.log("argon2id rows:", vectors.length);
    expect(vectors.length).toBeGreaterThan(0);
  });
});

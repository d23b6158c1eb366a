import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { generateApiKey } from "./api-key.ts";
import { parsePublicHash, publicHash, verifyPublicHash } from "./public-hash.ts";

const { key } = generateApiKey(seededRandom(7));
const encode = (inner: string) => Buffer.from(inner).toString("base64");

function inDocument(label: string): string {
  const document = readFileSync(new URL("../../../docs/formats/public-hash.md", import.meta.url), "utf8");
  const start = `\n${label}: `;
  const at = document.indexOf(start);
  if (at === -1) throw new Error(`the document has no ${label}`);
  return document.slice(at + start.length, document.indexOf("\n", at + 1)).trim();
}

describe("public hashes of this server's keys", () => {
  it("[I8] a hash decodes to its algorithm first and fits its key alone", async () => {
    const hash = publicHash(key);
    expect(Buffer.from(hash, "base64").toString()).toMatch(/^sha256\$[0-9A-Za-z_-]{43}$/);
    expect(verifyPublicHash(hash, key)).toEqual({ valid: true });
    expect(verifyPublicHash(hash, generateApiKey(seededRandom(9)).key)).toEqual({
      valid: false,
      reason: "it is a key, but not the one this hash stands for",
    });
    expect(verifyPublicHash(hash, new Secret("hunter2"))).toEqual({
      valid: false,
      reason: "it does not begin with sk-claviger-",
    });
  });

  it.each([
    ["", "it is not base64"],
    ["not base64!", "it is not base64"],
    [key.expose(), "this is a private key, not the hash of one"],
    [encode("plain"), "what it decodes to does not begin with the name of an algorithm and a $"],
    [encode("md5$abc"), 'the algorithm "md5" is not supported; sha256, argon2id and scrypt are'],
    [
      encode("$argon2i$v=19$m=65536"),
      'the algorithm "argon2i" is not supported; sha256, argon2id and scrypt are',
    ],
    [encode("$argon2id$v=19$m=65536"), "it must be argon2id$v=19$m=…,t=…,p=…$salt$hash"],
    [encode("$$scrypt$ln=15"), "what it decodes to does not begin with the name of an algorithm and a $"],
    [inDocument("argon2id"), "it is not base64; give the base64 text of the whole"],
    [inDocument("scrypt").slice(1), "it is not base64; give the base64 text of the whole"],
    [encode("sha256$a b"), "the digest is not base64url"],
    [encode("sha256$AAAA"), "the digest has 3 bytes instead of 32"],
  ])("[I9] the hash %j is malformed, saying why", async (hash, malformed) => {
    expect(verifyPublicHash(hash, key)).toEqual({ malformed });
    expect(parsePublicHash(hash)).toEqual({ malformed });
  });

  it("[I9] white space around a hash is not overlooked", async () => {
    expect(verifyPublicHash(`${publicHash(key)}\n`, key)).toEqual({ malformed: "it is not base64" });
  });
});

describe("public hashes of imported configurations", () => {
  const text = inDocument("key");

  it.each([
    "argon2id",
    "scrypt",
  ])("[I9] the document's %s hash fits the document's key alone", async (kind) => {
    const phc = inDocument(kind);
    expect(encode(phc)).toBe(inDocument(`${kind} hash`));
    for (const hash of [encode(phc), encode(phc.slice(1))]) {
      expect(parsePublicHash(hash)).toMatchObject({ algorithm: kind });
      expect(verifyPublicHash(hash, new Secret(text))).toEqual({ valid: true });
      expect(verifyPublicHash(hash, new Secret(`${text}s`))).toEqual({
        valid: false,
        reason: "it is not the key this hash stands for",
      });
    }
  });

  it("[I9] the document's hash without its leading $ is the same", () => {
    expect(parsePublicHash(inDocument("without its $"))).toEqual(
      parsePublicHash(inDocument("argon2id hash")),
    );
  });

  it.each([
    ["k".repeat(11), "it has 11 characters instead of 12 to 512"],
    ["k".repeat(513), "it has 513 characters instead of 12 to 512"],
    [`${text}é`, "it has a character that is not printable ASCII"],
    [`${text}\n`, "it has a character that is not printable ASCII"],
  ])("[I9] the key %j can be nobody's, saying why", async (wrong, reason) => {
    expect(verifyPublicHash(inDocument("argon2id hash"), new Secret(wrong))).toEqual({
      valid: false,
      reason,
    });
  });
});

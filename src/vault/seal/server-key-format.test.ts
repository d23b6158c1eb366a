import { argon2Sync, createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hmacSha256 } from "#platform/lib/hmac.ts";
import { Secret } from "#platform/lib/secret.ts";
import { fingerprintOf, Stretching } from "./passphrase.ts";
import { newRecoveryKey, readRecoveryKey } from "./recovery-key.ts";
import { unwrapRoot, wrapRoot } from "./wrapping.ts";

const text = readFileSync(new URL("../../../docs/formats/server-key.md", import.meta.url), "utf8");
const vectors = text
  .split("### Vector ")
  .slice(1)
  .map((section) => {
    const fields = new Map([...section.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(fieldOf));
    return (name: string) => fields.get(name) ?? expect.fail(`no field ${name}`);
  });
const [first, second, third] = vectors;
const bytesOf = (hex: string) => Buffer.from(hex, "hex");
const drawing = (hex: string) => ({ bytes: () => bytesOf(hex) });

describe("the format of the server key is the documented one", () => {
  test("the document has three vectors", () => {
    expect(vectors).toHaveLength(3);
  });

  test.each([
    ["1", first],
    ["2", second],
  ])("vector %s", async (_, field = fail) => {
    const cost = {
      memoryKib: Number(field("memory")),
      passes: Number(field("passes")),
      lanes: Number(field("lanes")),
    };
    const [salt, root] = [field("salt"), bytesOf(field("root key"))];
    const key = new Secret(bytesOf(field("text")).toString("utf8"));
    const lock = await new Stretching().begin(key, { random: drawing(salt), cost });
    const slot = { kind: "passphrase", key: lock.kek } as const;
    expect(lock.kek.export().toString("hex")).toBe(field("kek"));
    expect(Buffer.from(lock.verifier).toString("hex")).toBe(field("verifier"));
    expect(fingerprintOf(lock)).toBe(field("fingerprint"));
    const wrapped = wrapRoot(slot, root, drawing(field("nonce")));
    expect(Buffer.from(wrapped).toString("hex")).toBe(field("wrapped"));
    expect(unwrapRoot(slot, wrapped)).toEqual(root);
    const normalized = new Secret(bytesOf(field("normalized")).toString("utf8"));
    expect((await new Stretching().match(normalized, lock))?.equals(lock.kek)).toBe(true);
  });

  test.each([
    ["1", first],
    ["2", second],
  ])("vector %s by another argon2 (OpenSSL's)", (_, field = fail) => {
    const stretched = argon2Sync("argon2id", {
      message: bytesOf(field("normalized")),
      nonce: bytesOf(field("salt")),
      memory: Number(field("memory")),
      passes: Number(field("passes")),
      parallelism: Number(field("lanes")),
      tagLength: 64,
    });
    expect(stretched.subarray(0, 32).toString("hex")).toBe(field("kek"));
    const verifier = hmacSha256(createSecretKey(stretched.subarray(32)), "claviger server key verifier v1");
    expect(verifier.toString("hex")).toBe(field("verifier"));
  });

  test("vector 3", () => {
    const field = third ?? fail;
    const { text: made, wrappingKey } = newRecoveryKey(drawing(field("bytes")));
    expect(made.expose()).toBe(field("recovery key"));
    expect(wrappingKey.export().toString("hex")).toBe(field("wrapping key"));
    expect(readRecoveryKey(new Secret(field("recovery key")))?.equals(wrappingKey)).toBe(true);
    const slot = { kind: "recovery", key: wrappingKey } as const;
    const wrapped = wrapRoot(slot, bytesOf(field("root key")), drawing(field("nonce")));
    expect(Buffer.from(wrapped).toString("hex")).toBe(field("wrapped"));
  });
});

function fail(): string {
  return expect.fail("no such vector");
}

function fieldOf([, name = "", value = ""]: readonly string[]): [string, string] {
  return [name, value];
}

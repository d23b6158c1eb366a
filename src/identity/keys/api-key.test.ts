import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Random } from "#platform/lib/random.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { generateApiKey, parseApiKey } from "./api-key.ts";
import { publicHash } from "./public-hash.ts";

const text = generateApiKey(seededRandom(7)).key.expose();

/** Hands out the given bytes, call by call. */
function fixedRandom(...answers: Buffer[]): Random {
  return { bytes: () => answers.shift() ?? Buffer.alloc(0) };
}

function inDocument(label: string): string {
  const document = readFileSync(new URL("../../../docs/formats/api-key.md", import.meta.url), "utf8");
  const found = new RegExp(`^${label}: +(\\S+)$`, "m").exec(document)?.[1];
  if (found === undefined) throw new Error(`the document has no ${label}`);
  return found;
}

describe("the format of API keys", () => {
  it("[I8] the document's vector is what the code makes, key and hash", () => {
    const [idBytes, secretBytes] = [inDocument("id bytes"), inDocument("secret bytes")];
    const made = generateApiKey(fixedRandom(Buffer.from(idBytes, "hex"), Buffer.from(secretBytes, "hex")));
    expect(made.id).toBe(inDocument("id"));
    expect(made.key.expose()).toBe(inDocument("key"));
    expect(publicHash(made.key)).toBe(inDocument("public hash"));
  });

  it("[I8] the document's pattern for secret scanners finds a key in any text", () => {
    const pattern = new RegExp(inDocument("pattern"));
    expect(pattern.exec(`key="${text}";`)?.[0]).toBe(text);
    expect(pattern.test(text.slice(0, -1))).toBe(false);
  });

  it("[I8] a key is prefix, id, separator, 256 random bits and checksum, and does not print itself", () => {
    const { id, key } = generateApiKey(seededRandom(8));
    expect(key.expose()).toMatch(new RegExp(`^sk-claviger-${id}_[0-9A-Za-z]{49}$`));
    expect(parseApiKey(key.expose())).toEqual({ ok: true, id });
    expect(`${key}`).toBe("[secret]");
    expect(key.expose()).not.toBe(text);
  });

  it.each([
    ["", "it does not begin with sk-claviger-"],
    [text.toUpperCase(), "it does not begin with sk-claviger-"],
    [text.slice(0, -1), "it has 73 characters instead of 74"],
    [`${text}\n`, "it has 75 characters instead of 74"],
    [text.replace("_", "x"), "character 25 cannot be in a key at that place"],
    [`${text.slice(0, 40)}_${text.slice(41)}`, "character 41 cannot be in a key at that place"],
    [`${text.slice(0, 12)}-${text.slice(13)}`, "character 13 cannot be in a key at that place"],
  ])("[I9] %j is no key, saying why", (wrong, reason) => {
    expect(parseApiKey(wrong)).toEqual({ ok: false, reason });
  });

  it("[I9] changing any one character after the prefix is noticed", () => {
    for (let index = 12; index < text.length; index++) {
      const other = text[index] === "a" ? "b" : "a";
      expect(parseApiKey(text.slice(0, index) + other + text.slice(index + 1)).ok).toBe(false);
    }
  });
});

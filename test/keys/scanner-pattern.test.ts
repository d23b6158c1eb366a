import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateApiKey } from "#identity/keys/index.ts";
import { seededRandom } from "../seeded-random.ts";

const page = readFileSync(new URL("../../docs/keys.md", import.meta.url), "utf8");

test("[I17] the pattern for secret scanners finds every key whole, in whatever it stands, and no public id", () => {
  const [, pattern = ""] = /```regex\n(\S+)\n```/.exec(page) ?? [];
  expect(page).toContain(`regex = '''${pattern}'''`);
  const random = seededRandom(7);
  for (let number = 0; number < 1000; number++) {
    const { id, key } = generateApiKey(random);
    const text = key.expose();
    expect(
      `{"key":"${text}","id":"key_${id}","prefix":"sk-claviger-${id}"}`.match(new RegExp(pattern, "g")),
    ).toEqual([text]);
  }
});

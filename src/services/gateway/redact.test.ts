import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { createRedactor } from "./redact.ts";

const secret = `sk-${seededRandom(3).bytes(16).toString("hex")}`;
const redactor = createRedactor([Buffer.from(secret), Buffer.from(`${secret}-longer`), Buffer.alloc(0)]);

test("[G3] every occurrence of a secret is replaced in bytes and headers", () => {
  expect(redactor.bytes(Buffer.from(`a ${secret}${secret} b`)).toString()).toBe("a [redacted][redacted] b");
  expect(redactor.header(`Bearer ${secret}, ${secret}`)).toBe("Bearer [redacted], [redacted]");
});

test("[G3] a secret that begins another leaves no rest of the longer one", () => {
  expect(redactor.bytes(Buffer.from(`${secret}-longer.`)).toString()).toBe("[redacted].");
});

test("[G3] a secret is found as JSON escapes it", () => {
  const awkward = `${secret}"\\x`;
  const bytes = Buffer.from(JSON.stringify({ message: `bad key ${awkward}` }));
  expect(
    createRedactor([Buffer.from(awkward)])
      .bytes(bytes)
      .toString(),
  ).toBe('{"message":"bad key [redacted]"}');
});

test("without a secret the same buffer comes back, byte for byte binary safe", () => {
  const clean = Buffer.from([0, 255, 128, 10]);
  expect(redactor.bytes(clean)).toBe(clean);
  const around = Buffer.concat([clean, Buffer.from(secret), clean]);
  expect(redactor.bytes(around)).toEqual(Buffer.concat([clean, Buffer.from("[redacted]"), clean]));
});

test("[G3] a secret cut into chunks anywhere does not pass a stream, and nothing else is held at the end", () => {
  const text = `a ${secret} b ${secret.slice(0, 5)}`;
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 3) {
      const stream = redactor.stream();
      const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      const out = chunks.map((chunk) => stream.push(Buffer.from(chunk)).toString()).join("");
      expect(out + stream.end()).toBe(`a [redacted] b ${secret.slice(0, 5)}`);
    }
  }
});

test("a placeholder of a credential tears no ordinary word apart", () => {
  const short = createRedactor([Buffer.from("none"), Buffer.from("lm-studio")]);
  const body = Buffer.from('{"lm-studio":"none"}');
  expect(short.bytes(body)).toBe(body);
  expect(short.error(body).toString()).toBe('{"[redacted]":"none"}');
});

test("[G3] masked, every byte of a secret is a star, so that no length changes; errors in every spelling", () => {
  const spelled = [secret, Buffer.from(secret).toString("hex"), Buffer.from(secret).toString("base64url")];
  for (const spelling of spelled) {
    const text = `a ${spelling} b ${secret.slice(0, 5)}`;
    for (let cut = 0; cut <= text.length; cut += 1) {
      const masked = redactor.masked("error");
      const chunks = [text.slice(0, cut), text.slice(cut)].map((chunk) =>
        masked.push(Buffer.from(chunk)).toString(),
      );
      const out = chunks.join("") + masked.end().toString();
      expect(out).toHaveLength(text.length);
      expect(out).toMatch(/^a .*\*{20}.* b sk-/);
      expect(out).not.toContain(spelling);
    }
  }
  const answer = redactor.masked("answer");
  const hex = spelled[1] ?? "";
  expect(`${answer.push(Buffer.from(`${secret} ${hex}`))}${answer.end()}`).toBe(
    `${"*".repeat(secret.length)} ${hex}`,
  );
});

import { expect, test } from "vitest";
import { argon2id, argon2idEncoded, argon2idMatches } from "./argon2.ts";

/** The reference implementation's own table for argon2id, version 19; salt `somesalt`. */
const VECTORS = [
  {
    memoryKib: 256,
    passes: 2,
    lanes: 1,
    hash: "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
    encoded: "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
  },
  {
    memoryKib: 256,
    passes: 2,
    lanes: 2,
    hash: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
    encoded: "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
  },
];

test.each(VECTORS)("$encoded", async ({ hash, encoded, ...parameters }) => {
  const input = { ...parameters, salt: Buffer.from("somesalt"), length: 32 };
  expect((await argon2id("password", input)).toString("hex")).toBe(hash);
  expect(await argon2idEncoded("password", input)).toBe(encoded);
  expect(await argon2idMatches(encoded, "password")).toBe(true);
  expect(await argon2idMatches(encoded, "passwore")).toBe(false);
});

test.each([
  "",
  "password",
  "$2b$04$abcdefghijklmnopqrstuu",
  "$argon2id$v=19$m=256",
])("%j is no hash and is refused", async (encoded) => {
  await expect(argon2idMatches(encoded, "password")).rejects.toThrow();
});

test.each(["argon2i$v=19", "argon2d$v=19", "argon2id$v=16"])("a hash of %s is refused", async (kind) => {
  const encoded = `$${kind}$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4`;
  await expect(argon2idMatches(encoded, "password")).rejects.toThrow("not argon2id version 19");
});

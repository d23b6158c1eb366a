import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { constantTimeEqual, hmacSha256, hmacSha256Of, sha256 } from "./hmac.ts";

/** RFC 4231, test cases 1, 2, 3, 4, 6 and 7. */
const VECTORS = [
  {
    key: "0b".repeat(20),
    data: Buffer.from("Hi There"),
    mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    key: "4a656665",
    data: Buffer.from("what do ya want for nothing?"),
    mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    key: "aa".repeat(20),
    data: Buffer.alloc(50, 0xdd),
    mac: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  },
  {
    key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
    data: Buffer.alloc(50, 0xcd),
    mac: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  },
  {
    key: "aa".repeat(131),
    data: Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
    mac: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  },
  {
    key: "aa".repeat(131),
    data: Buffer.from(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    mac: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  },
];

test.each(VECTORS)("HMAC-SHA256 gives $mac", ({ key, data, mac }) => {
  expect(hmacSha256(createSecretKey(Buffer.from(key, "hex")), data).toString("hex")).toBe(mac);
});

test("HMAC-SHA256 of texts under one key is the same, of whatever length the key and the texts are", () => {
  for (const keyBytes of [0, 1, 63, 64, 65, 200]) {
    const key = Buffer.alloc(keyBytes, "k");
    const hmac = hmacSha256Of(key);
    for (const length of [0, 1, 55, 56, 74, 511, 512, 513, 5000]) {
      const text = "é".repeat(length % 7) + "a".repeat(length);
      expect(hmac(text)).toEqual(hmacSha256(createSecretKey(key), text));
    }
  }
});

test("SHA-256 of text is that of its UTF-8, as FIPS 180-4 has it", () => {
  expect(sha256("abc").toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(sha256(Buffer.from("é", "utf8"))).toEqual(sha256("é"));
});

test("equal bytes are equal; another byte or length is not", () => {
  expect(constantTimeEqual(Buffer.from("abc"), Buffer.from("abc"))).toBe(true);
  expect(constantTimeEqual(Buffer.from("abc"), Buffer.from("abd"))).toBe(false);
  expect(constantTimeEqual(Buffer.from("abc"), Buffer.from("ab"))).toBe(false);
  expect(constantTimeEqual(Buffer.alloc(0), Buffer.alloc(0))).toBe(true);
});

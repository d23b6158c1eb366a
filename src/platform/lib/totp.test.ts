import { expect, test } from "vitest";
import { toBase32 } from "./base32.ts";
import { hotp, totpStep } from "./totp.ts";

const SEED = Buffer.from("12345678901234567890");

test("[U7] the codes of RFC 4226, appendix D", () => {
  const codes = Array.from({ length: 10 }, (_, counter) => hotp(SEED, counter));
  expect(codes).toEqual([
    ...["755224", "287082", "359152", "969429", "338314"],
    ...["254676", "287922", "162583", "399871", "520489"],
  ]);
});

test.each([
  [59, "94287082"],
  [1_111_111_109, "07081804"],
  [1_111_111_111, "14050471"],
  [1_234_567_890, "89005924"],
  [2_000_000_000, "69279037"],
  [20_000_000_000, "65353130"],
])("[U7] the SHA-1 code of RFC 6238, appendix B, at %i s", (seconds, code) => {
  expect(hotp(SEED, totpStep(seconds * 1000), 8)).toBe(code);
});

test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("[U7] base32 of RFC 4648, section 10, without padding: %j", (text, encoded) => {
  expect(toBase32(Buffer.from(text))).toBe(encoded);
});

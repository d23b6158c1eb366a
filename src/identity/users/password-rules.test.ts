import { expect, test } from "vitest";
import { isCommonInitialPassword, refuseWeakPassword } from "./password-rules.ts";

const refusalOf = (text: string, username = "maria") => {
  try {
    refuseWeakPassword(text, username);
    return undefined;
  } catch (error) {
    return Object(error).code;
  }
};

test.each([
  "elevenchars",
  "aaaaaaaaaaaaaaaa",
  "123456789012",
  "qwertyuiopas",
  "lkjhgfdsapoi",
  "1q2w3e4r5t6y",
  "abcdefabcdef",
  "Tr7#xTr7#xTr7#x",
  "Password2024!",
  "P@ssw0rd1234",
  "my-new-password",
  "administrator1",
  "CorrectHorseBatteryStaple",
  "correct horse battery staple",
  "claviger-admin",
  "maria-maria-1",
  "MARIA12345678",
  // Typed on a keyboard of full-width letters.
  "ｐａｓｓｗｏｒｄ１２３４",
])("[U5] a password that is short, or tried first, is refused: %s", (text) => {
  expect(refusalOf(text)).toBe("weak_password");
});

test.each([
  "an example of a password",
  "kitchen lamp 41 drawer",
  "x9!fK2#mQ7zL",
  "märchenhafte Brücken",
  "日本語のパスワードは十二文字",
])("[U5] others are accepted: %s", (text) => {
  expect(refusalOf(text)).toBeUndefined();
});

test("[U2] what everybody tries as an initial password", () => {
  for (const text of ["123456", "admin", "Password1!", "letmein-now", "short"])
    expect([text, isCommonInitialPassword(text)]).toEqual([text, text !== "letmein-now"]);
});

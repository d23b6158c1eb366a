import { encoded, type Forge, type Variants } from "./token-text.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Each letter of the token replaced by its neighbour in the alphabet, and by one that no token has. */
export function withOneLetterChanged({ token }: Forge): Variants {
  const variants = new Map<string, string>();
  for (let at = 0; at < token.length; at++) {
    const letter = token[at] ?? "";
    const next = LETTERS[(LETTERS.indexOf(letter) + 1) % LETTERS.length] ?? "";
    for (const other of [next, letter === "~" ? "!" : "~"])
      variants.set(`letter ${at} as ${other}`, token.slice(0, at) + other + token.slice(at + 1));
  }
  return variants;
}

/** Cut after each letter, before each eighth. */
export function cutOff({ token }: Forge): Variants {
  const variants = new Map<string, string>();
  for (let length = 0; length < token.length; length++)
    variants.set(`first ${length}`, token.slice(0, length));
  for (let from = 1; from < token.length; from += 8) variants.set(`from ${from}`, token.slice(from));
  return variants;
}

/** The same bytes in other letters, and letters around them. */
export function spelledOtherwise({ token }: Forge): Variants {
  const [head = "", body = "", signature = ""] = token.split(".");
  const last = LETTERS.indexOf(signature.at(-1) ?? "");
  const texts = [
    // 32 bytes leave two bits of the last letter unused: three more letters are read as the same bytes.
    ...[1, 2, 3].map((bits) => `${head}.${body}.${signature.slice(0, -1)}${LETTERS[last ^ bits]}`),
    `${head}.${body}.${signature}=`,
    `${head}.${body}.${signature}==`,
    `${head}=.${body}.${signature}`,
    `${head}==.${body}.${signature}`,
    `${head}.${body}=.${signature}`,
    `${head}.${body}==.${signature}`,
    `${head}.${body}.${signature}A`,
    `${head}.${body}.${signature}AAAA`,
    `${head}A.${body}.${signature}`,
    `${head}.${body}A.${signature}`,
    `${head}.${body.slice(0, 10)}!${body.slice(10)}.${signature}`,
    `${head}.${body.slice(0, 10)} ${body.slice(10)}.${signature}`,
    `${head}.${body.slice(0, 10)}\t${body.slice(10)}.${signature}`,
    `${head}. ${body}.${signature}`,
    `${head} .${body}.${signature}`,
    `${token}.`,
    `.${token}`,
    `${head}..${body}.${signature}`,
    `${token}.${signature}`,
    `${token}${token}`,
    `${token},${token}`,
    `${token}\u00a0`,
    `${token}\u00ad`,
    `${token}%00`,
    `${token}%20`,
    token.replaceAll(".", "%2E"),
    token.replaceAll(".", "\u00b7"),
    encodeURIComponent(`${token} `),
    [...token].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join(""),
    Buffer.from(token).toString("base64url"),
    token.toUpperCase(),
    token.toLowerCase(),
    [...token].reverse().join(""),
    `${signature}.${body}.${head}`,
    `${body}.${head}.${signature}`,
    `${head}.${encoded(encoded(body))}.${signature}`,
    `Bearer ${token}`,
    `'${token}'`,
    `"${token}"`,
    `(${token})`,
    `${token}#`,
    `${token}?a=1`,
    "...",
    "..",
    ".",
    "",
    "null",
    "undefined",
    "true",
    "a".repeat(600),
    "a".repeat(8_000),
    `${head}.${"a".repeat(6_000)}.${signature}`,
    `${token}${"A".repeat(8_000)}`,
    ".".repeat(8_000),
  ];
  return new Map(texts.map((text, at) => [`spelling ${at}: ${text.slice(0, 40)}`, text]));
}

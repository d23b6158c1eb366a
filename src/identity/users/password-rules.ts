import { AppError } from "#platform/lib/error.ts";

const LEAST_CHARACTERS = 12;
/** Of an initial password, which is changed at once: below this it counts as one that everybody tries. */
const LEAST_INITIAL = 8;
const LEAST_DISTINCT = 5;
const LONGEST_BLOCK = 8;
/** What must be there beside the user's own name. */
const LEAST_BESIDE_NAME = 8;

/** What keyboards and alphabets have in a row; a password is no part of one, in either direction. */
const ROWS = [
  "01234567890123456789",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
  "azertyuiopqsdfghjklmwxcvbn",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
];

/** What many passwords are made of, with digits and signs before, between and behind. */
const WORDS = [
  ...[
    "password",
    "passwort",
    "passphrase",
    "passcode",
    "pass",
    "admin",
    "administrator",
    "root",
    "user",
    "login",
  ],
  ...[
    "welcome",
    "willkommen",
    "letmein",
    "changeme",
    "change",
    "default",
    "secret",
    "master",
    "test",
    "temp",
  ],
  ...["qwerty", "qwertz", "azerty", "qwertyuiop", "asdfghjkl", "zxcvbnm", "asdf", "qazwsx", "abc", "abcd"],
  ...["iloveyou", "monkey", "dragon", "sunshine", "princess", "football", "baseball", "superman", "batman"],
  ...["starwars", "trustno", "whatever", "michael", "jordan", "liverpool", "summer", "winter", "spring"],
  ...["autumn", "hello", "computer", "internet", "server", "gateway", "claviger", "my", "the", "is", "new"],
];

/** Whole texts that stand high in lists of leaked passwords, or in everybody's memory. */
const WHOLE: ReadonlySet<string> = new Set([
  "correcthorsebatterystaple",
  "mynoobpassword",
  "thequickbrownfox",
  "lookatmenow",
  "supercalifragilisticexpialidocious",
  "opensesame",
  "passwordpassword",
  "unbelievable",
  "hongkongphooey",
  "minecraftminecraft",
]);

const ONLY_WORDS = new RegExp(`^(?:${WORDS.toSorted((a, b) => b.length - a.length).join("|")})+$`);
const LOOKS_LIKE: ReadonlyMap<string, string> = new Map([
  ["0", "o"],
  ["1", "i"],
  ["3", "e"],
  ["4", "a"],
  ["5", "s"],
  ["7", "t"],
  ["@", "a"],
  ["$", "s"],
  ["!", "i"],
]);

/** The one form of a password that is hashed and compared: typed on two keyboards it may come in different code points. */
export function normalizedPassword(text: string): string {
  return text.normalize("NFKC");
}

/** Throws AppError `weak_password` for one of under 12 characters (code points), or that is tried by everybody first. */
export function refuseWeakPassword(text: string, username: string): void {
  const password = normalizedPassword(text);
  if ([...password].length < LEAST_CHARACTERS)
    throw new AppError("weak_password", `A password has at least ${LEAST_CHARACTERS} characters.`);
  if (isCommon(password) || isNameAlone(password, username))
    throw new AppError(
      "weak_password",
      "This password, or its pattern, is among those that are tried first.",
    );
}

/** Whether an initial password is one that everybody tries, too short ones among them. */
export function isCommonInitialPassword(text: string): boolean {
  const password = normalizedPassword(text);
  return [...password].length < LEAST_INITIAL || isCommon(password);
}

function isCommon(password: string): boolean {
  const lower = password.toLowerCase();
  const letters = lower.replaceAll(/[^\p{L}]/gu, "");
  const read = [...lower].map((each) => LOOKS_LIKE.get(each) ?? each).join("");
  const readLetters = read.replaceAll(/[^\p{L}]/gu, "");
  return (
    new Set(lower).size < LEAST_DISTINCT ||
    isBlockAgain(lower) ||
    isInRow(lower) ||
    [letters, readLetters].some((text) => WHOLE.has(text) || ONLY_WORDS.test(text)) ||
    isOnlyWordsAround(lower)
  );
}

/** `Sommer2024!` behind a word: what is left of digits and signs at both ends is a word, whatever they look like. */
function isOnlyWordsAround(lower: string): boolean {
  const core = lower.replace(/^[^\p{L}]+/u, "").replace(/[^\p{L}]+$/u, "");
  const read = [...core].map((each) => LOOKS_LIKE.get(each) ?? each).join("");
  return ONLY_WORDS.test(read);
}

function isBlockAgain(text: string): boolean {
  for (let size = 1; size <= Math.min(LONGEST_BLOCK, text.length / 2); size++) {
    const block = text.slice(0, size);
    if (block.repeat(Math.ceil(text.length / size)).startsWith(text)) return true;
  }
  return false;
}

function isInRow(text: string): boolean {
  const backwards = [...text].reverse().join("");
  return ROWS.some((row) => row.includes(text) || row.includes(backwards));
}

function isNameAlone(password: string, username: string): boolean {
  const lower = password.toLowerCase();
  if (username.length < 3 || !lower.includes(username)) return false;
  const rest = lower.replaceAll(username, "");
  return [...rest].length < LEAST_BESIDE_NAME || isInRow(rest);
}

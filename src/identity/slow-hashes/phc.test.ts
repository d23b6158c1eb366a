import { describe, expect, it, test } from "vitest";
import { parsePhc } from "./phc.ts";
import { slowHashMatches } from "./slow-hash.ts";

const SALT = Buffer.alloc(16, 5).toString("base64").slice(0, 22);
const HASH = Buffer.alloc(32, 6).toString("base64").slice(0, 43);
const argon2id = (parameters: string, salt = SALT, hash = HASH) =>
  `argon2id$v=19$${parameters}$${salt}$${hash}`;
const scrypt = (parameters: string, salt = SALT, hash = HASH) => `scrypt$${parameters}$${salt}$${hash}`;
const bytes = (length: number) => Buffer.alloc(length, 9).toString("base64").replace(/=+$/, "");

const NO_ARGON2ID = "it must be argon2id$v=19$m=…,t=…,p=…$salt$hash";
const NO_VERSION = "an argon2id hash must be of version 19: argon2id$v=19$…";
const NO_SCRYPT = "it must be scrypt$ln=…,r=…,p=…$salt$hash";

describe("PHC strings", () => {
  it("[I9] parameters, salt and hash are read", () => {
    const read = { salt: Buffer.alloc(16, 5), hash: Buffer.alloc(32, 6) };
    expect(parsePhc(argon2id("m=65536,t=3,p=4"))).toEqual({
      algorithm: "argon2id",
      memoryKib: 65536,
      passes: 3,
      lanes: 4,
      ...read,
    });
    expect(parsePhc(scrypt("ln=16,r=8,p=2"))).toEqual({
      algorithm: "scrypt",
      logCost: 16,
      blockSize: 8,
      lanes: 2,
      ...read,
    });
  });

  it.each([
    argon2id("m=4096,t=1,p=1"),
    argon2id("m=262144,t=10,p=16"),
    argon2id("m=4096,t=1,p=1", bytes(8), bytes(16)),
    argon2id("m=4096,t=1,p=1", bytes(64), bytes(64)),
    scrypt("ln=12,r=8,p=1"),
    scrypt("ln=18,r=8,p=1"),
    scrypt("ln=14,r=8,p=16"),
    scrypt("ln=16,r=32,p=1"),
    scrypt("ln=21,r=1,p=1", bytes(8), bytes(64)),
  ])("[I9] %s is at the edge, and within", (text) => {
    expect(parsePhc(text)).not.toHaveProperty("malformed");
  });

  it.each([
    [argon2id("m=4095,t=1,p=1"), "m is 4095 instead of 4096 to 262144"],
    [argon2id("m=262145,t=1,p=1"), "m is 262145 instead of 4096 to 262144"],
    [argon2id("m=65536,t=0,p=1"), "t is 0 instead of 1 to 10"],
    [argon2id("m=65536,t=11,p=1"), "t is 11 instead of 1 to 10"],
    [argon2id("m=65536,t=1,p=0"), "p is 0 instead of 1 to 16"],
    [argon2id("m=65536,t=1,p=17"), "p is 17 instead of 1 to 16"],
    [argon2id("m=65536,t=1,p=1", bytes(7)), "the salt's length in bytes is 7 instead of 8 to 64"],
    [argon2id("m=65536,t=1,p=1", bytes(65)), "the salt's length in bytes is 65 instead of 8 to 64"],
    [argon2id("m=65536,t=1,p=1", SALT, bytes(15)), "the hash's length in bytes is 15 instead of 16 to 64"],
    [argon2id("m=65536,t=1,p=1", SALT, bytes(65)), "the hash's length in bytes is 65 instead of 16 to 64"],
    [scrypt("ln=0,r=8,p=1"), "ln is 0 instead of 1 to 24"],
    [scrypt("ln=25,r=8,p=1"), "ln is 25 instead of 1 to 24"],
    [scrypt("ln=14,r=0,p=1"), "r is 0 instead of 1 to 32"],
    [scrypt("ln=14,r=33,p=1"), "r is 33 instead of 1 to 32"],
    [scrypt("ln=14,r=8,p=0"), "p is 0 instead of 1 to 16"],
    [scrypt("ln=10,r=8,p=17"), "p is 17 instead of 1 to 16"],
    [scrypt("ln=11,r=8,p=1"), "its memory of 128 * 2^ln * r * p, in MiB, is 2 instead of 4 to 256"],
    [scrypt("ln=19,r=8,p=1"), "its memory of 128 * 2^ln * r * p, in MiB, is 512 instead of 4 to 256"],
    [scrypt("ln=18,r=8,p=2"), "its memory of 128 * 2^ln * r * p, in MiB, is 512 instead of 4 to 256"],
    [scrypt("ln=16,r=8,p=1", `${SALT}==`), "the salt is not base64 without padding"],
    [scrypt("ln=16,r=8,p=1", SALT, `${HASH}=`), "the hash in it is not base64 without padding"],
    [scrypt("ln=16,r=8,p=1", SALT.replace(/.$/, "V")), "the salt is not base64 without padding"],
    [argon2id("t=1,m=65536,p=1"), NO_ARGON2ID],
    [argon2id("m=65536,t=1,p=1,keyid=QQ"), NO_ARGON2ID],
    [argon2id("m=065536x,t=1,p=1"), NO_ARGON2ID],
    [`${argon2id("m=65536,t=1,p=1")}$`, NO_ARGON2ID],
    [`argon2id$m=65536,t=1,p=1$${SALT}$${HASH}`, NO_VERSION],
    [`argon2id$v=16$m=65536,t=1,p=1$${SALT}$${HASH}`, NO_VERSION],
    [`argon2i$v=19$m=65536,t=1,p=1$${SALT}$${HASH}`, NO_SCRYPT],
    [scrypt("n=16384,r=8,p=1"), NO_SCRYPT],
    [`scrypt$ln=16,r=8,p=1$${SALT}`, NO_SCRYPT],
    [`scrypt$ln=16,r=8,p=1$${SALT}$${HASH}$`, NO_SCRYPT],
    ["scrypt", NO_SCRYPT],
    [`${scrypt("ln=16,r=8,p=1")}\n`, "what it decodes to ends in white space"],
  ])("[I9] %j is malformed, saying why", (text, malformed) => {
    expect(parsePhc(text)).toEqual({ malformed });
  });
});

/** The first of the reference implementation's tests, the second of RFC 7914, section 12; then what passlib's manual shows. */
const KNOWN = [
  {
    key: "password",
    phc: "argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  },
  {
    key: "pleaseletmein",
    phc: "scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
  },
  {
    key: "password",
    phc: "scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
  },
];

test.each(KNOWN)("[I9] a published hash is matched by its text and no other: $phc", ({ key, phc }) => {
  const hash = parsePhc(phc);
  if ("malformed" in hash) throw new Error(hash.malformed);
  expect(slowHashMatches(hash, key)).toBe(true);
  for (const other of [`${key}x`, key.slice(1), key.toUpperCase(), ""])
    expect(slowHashMatches(hash, other), other).toBe(false);
});

test("[I9] the strongest of both kinds that are taken can be computed", () => {
  for (const text of [argon2id("m=262144,t=1,p=16"), scrypt("ln=18,r=8,p=1"), scrypt("ln=12,r=32,p=16")]) {
    const hash = parsePhc(text);
    if ("malformed" in hash) throw new Error(hash.malformed);
    expect(slowHashMatches(hash, "a text that is not the key")).toBe(false);
  }
});

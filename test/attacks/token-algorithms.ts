import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { encoded, type Forge, HS256, signed, type Variants } from "./token-text.ts";

/** No algorithm at all, in every case of its letters and what reads like it, with and without a signature. */
export function withoutAlgorithm({ token }: Forge): Variants {
  const [, body = "", signature = ""] = token.split(".");
  const cases = Array.from({ length: 16 }, (_, bits) =>
    [..."none"].map((letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join(""),
  );
  const others = [
    "",
    " none",
    "none ",
    "none\u0000",
    "n\u043ene",
    "null",
    "None256",
    "HS0",
    null,
    false,
    0,
    [],
    {},
  ];
  const headers = [...[...cases, ...others].map((alg) => ({ alg })), {}, { typ: "JWT" }];
  return new Map(
    headers.flatMap((header) => [
      [`${JSON.stringify(header)}, no signature`, `${encoded(header)}.${body}.`] as const,
      [`${JSON.stringify(header)}, the old signature`, `${encoded(header)}.${body}.${signature}`] as const,
    ]),
  );
}

/** Signatures of other algorithms, rightly made, and the confusion of a public key with a secret. */
export function ofOtherAlgorithms({ token, secret }: Forge): Variants {
  const [head = "", body = ""] = token.split(".");
  const variants = new Map<string, string>();
  for (const [alg, hash] of [
    ["HS384", "sha384"],
    ["HS512", "sha512"],
    ["HS1", "sha1"],
  ] as const) {
    variants.set(`${alg} under the secret`, signed(secret, `${encoded({ alg })}.${body}`, hash));
    variants.set(`${alg} under the secret, called HS256`, signed(secret, `${head}.${body}`, hash));
  }
  const names = [
    "RS256",
    "RS512",
    "PS256",
    "ES256",
    "ES384",
    "EdDSA",
    "hs256",
    "Hs256",
    "HS256 ",
    "HMAC",
    "A256KW",
    "dir",
  ];
  for (const alg of names) variants.set(`HS256 called ${alg}`, signed(secret, `${encoded({ alg })}.${body}`));
  for (const [alg, { privateKey, publicKey }] of keyPairs()) {
    const text = `${encoded({ alg })}.${body}`;
    variants.set(`${alg} by a key of the attacker`, `${text}.${signedBy(privateKey, text, alg)}`);
    const named = `${encoded({ alg, jwk: publicKey.export({ format: "jwk" }) })}.${body}`;
    variants.set(`${alg} that brings its key along`, `${named}.${signedBy(privateKey, named, alg)}`);
    for (const public_ of [
      publicKey.export({ format: "pem", type: "spki" }),
      publicKey.export({ format: "der", type: "spki" }),
    ])
      variants.set(
        `a public key for ${alg} as the secret, ${typeof public_}`,
        signed(public_, `${head}.${body}`),
      );
  }
  return variants;
}

/** Secrets that are guessed, or nearly right. */
export function underOtherSecrets({ token, secret }: Forge): Variants {
  const [head = "", body = ""] = token.split(".");
  const guesses: (string | Buffer)[] = [
    "",
    "secret",
    "changeme",
    "jwt_secret",
    "your-256-bit-secret",
    "\u0000",
    "claviger",
  ];
  guesses.push(secret.slice(1), secret.slice(0, -1), `${secret}\n`, ` ${secret}`, secret.toUpperCase());
  guesses.push(
    Buffer.from(secret, "base64url"),
    Buffer.from(secret, "hex"),
    Buffer.alloc(32),
    [...secret].reverse().join(""),
  );
  return new Map(guesses.map((guess, at) => [`guess ${at}`, signed(guess, `${head}.${body}`)]));
}

/** Keys, places of keys and extensions that a header may name; each is signed as the server signs. */
export function withOtherHeaders({ token, secret }: Forge): Variants {
  const [, body = ""] = token.split(".");
  const places = [
    "https://evil.example/keys",
    "http://127.0.0.1/",
    "file:///dev/null",
    "../../../dev/null",
    "",
    "//evil.example",
  ];
  const more: object[] = ["jku", "x5u", "kid"].flatMap((name) => places.map((place) => ({ [name]: place })));
  more.push(
    { kid: "' OR 1=1 --" },
    { kid: "jwt_secret" },
    { kid: 1 },
    { kid: null },
    { kid: ["a"] },
    { kid: "x".repeat(200) },
  );
  more.push(
    { jwk: { kty: "oct", k: encoded(secret) } },
    { jwk: {} },
    { x5c: [] },
    { x5c: ["AAAA"] },
    { x5t: "AAAA" },
  );
  more.push(
    { crit: ["exp"], exp: 1 },
    { crit: [] },
    { crit: ["alg"] },
    { crit: "b64" },
    { b64: false, crit: ["b64"] },
    { b64: false },
  );
  more.push(
    { typ: "JWT" },
    { typ: "at+jwt" },
    { cty: "JWT" },
    { zip: "DEF" },
    { enc: "A256GCM" },
    { nonce: "1" },
    { iss: "x" },
  );
  const headers: unknown[] = more.map((each) => ({ ...HS256, ...each }));
  headers.push(
    { typ: "JWT", alg: "HS256" },
    [HS256],
    "HS256",
    null,
    1,
    { ALG: "HS256" },
    { alg: ["HS256"] },
    { alg: { alg: "HS256" } },
  );
  headers.push(
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","alg":"none"}',
    '{ "alg":"HS256"}',
    '{"alg":"HS256"}\n',
    '\ufeff{"alg":"HS256"}',
  );
  headers.push(
    '{"\\u0061lg":"HS256"}',
    '{"alg":"HS\\u003256"}',
    '{"alg":"HS256",}',
    "{'alg':'HS256'}",
    '{"__proto__":{"alg":"HS256"}}',
  );
  return new Map(
    headers.map((header, at) => [
      `header ${at}: ${JSON.stringify(header)}`,
      signed(secret, `${encoded(header)}.${body}`),
    ]),
  );
}

function keyPairs() {
  return [
    ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
    ["EdDSA", generateKeyPairSync("ed25519")],
  ] as const;
}

function signedBy(key: KeyObject, text: string, alg: string): string {
  const hash = alg === "EdDSA" ? null : "sha256";
  return sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

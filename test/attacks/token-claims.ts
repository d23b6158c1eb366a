import { encoded, type Forge, forged, HS256, signed, type Variants } from "./token-text.ts";

const DAY_S = 86_400;

/** What a payload may claim, signed as the server signs. */
export function withOtherClaims(forge: Forge): Variants {
  const { claims, token } = forge;
  const payloads: unknown[] = [
    ...["sub", "jti", "iat", "exp"].map((name) =>
      Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)),
    ),
    ...others(forge),
    ...Object.keys(claims).flatMap((name) => WRONG.map((value) => ({ ...claims, [name]: value }))),
    ...MORE.map((more) => ({ ...claims, ...more })),
    [claims],
    [claims, claims],
    { claims },
    "text",
    token,
    null,
    true,
    1,
    [],
    {},
  ];
  const written = payloads.map((payload) =>
    typeof payload === "string" ? JSON.stringify(payload) : payload,
  );
  return new Map(
    written.map((payload, at) => [`claims ${at}: ${JSON.stringify(payload)}`, forged(forge, HS256, payload)]),
  );
}

/** Other people, other sessions, other times. */
function others({ claims, other, ended }: Forge): object[] {
  const { iat, exp, sub, jti } = claims;
  return [
    { ...claims, jti: other.jti },
    { ...claims, sub: other.sub },
    { ...claims, jti: ended.jti },
    { ...claims, sub: "user_0000000000000000" },
    { ...claims, sub: "admin" },
    { ...claims, sub: sub.toUpperCase() },
    { ...claims, sub: ` ${sub}` },
    { ...claims, jti: "sess_0000000000000000" },
    { ...claims, jti: jti.toLowerCase().replace(/^sess_/, "SESS_") },
    { ...claims, jti: `${jti} ` },
    { ...claims, jti: `${jti}\u0000` },
    { ...claims, exp: iat - 1 },
    { ...claims, exp: 1 },
    { ...claims, iat: iat + DAY_S, exp: exp + DAY_S },
    { ...claims, iat: iat + 10 * 365 * DAY_S, exp: exp + 10 * 365 * DAY_S },
    { ...claims, iat: 2 ** 40 },
  ];
}

const WRONG = ["", "0", null, true, false, [], {}, { $ne: null }, -1, 0.5, 1e300, "x".repeat(65), ["admin"]];
const MORE = [
  { nbf: 0 },
  { nbf: 2 ** 33 },
  { aud: "claviger" },
  { iss: "claviger" },
  { admin: true },
  { permissions: ["superadmin"] },
  { scope: "full" },
  { typ: "session" },
  { "": 1 },
];

/** The payload's own text: claims twice, other spellings of JSON, nested, too large. */
export function withOtherPayloads(forge: Forge): Variants {
  const text = JSON.stringify(forge.claims);
  const inner = text.slice(1, -1);
  const later = `"exp":${forge.claims.exp + 400 * DAY_S}`;
  const texts = [
    `{"sub":"nobody",${inner}}`,
    `{"exp":1,${inner}}`,
    `{${inner.replace('"sub"', '"su\\u0062"')}}`,
    `{ ${inner}}`,
    `{${inner.split(",").toReversed().join(",")}}`,
    `{${inner},"sub":"nobody"}`,
    `{${inner},"jti":"other"}`,
    `{${inner},"exp":1}`,
    `{"__proto__":${text}}`,
    `{"constructor":{"prototype":${text}}}`,
    `{${inner},"__proto__":{}}`,
    `{${inner},"\\u005f_proto__":{"a":1}}`,
    `{"SUB":"x",${inner}}`,
    `${text}${text}`,
    `${text},`,
    `${text}\u0000`,
    `\ufeff${text}`,
    inner,
    "",
    "undefined",
    "NaN",
    text.replaceAll('"', "'"),
    text.slice(0, -1),
    text.replace(/"exp":\d+/, `${later},"nbf":"x"`),
    ...[64, 1_000, 3_000].map((depth) => `${"[".repeat(depth)}${text}${"]".repeat(depth)}`),
    ...[64, 500].map((depth) => `{${inner},"a":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`),
    ...[512, 2_000, 6_000].map((length) => `{${inner},"a":"${"x".repeat(length)}"}`),
    ...[512, 2_000, 6_000].map((length) => `${" ".repeat(length)}${text}`),
  ];
  const [head = ""] = forge.token.split(".");
  const bytes = [
    Buffer.from([0xff, 0xfe]),
    Buffer.from(text, "utf16le"),
    Buffer.alloc(64),
    Buffer.from(`${text}\xff`, "latin1"),
  ];
  const raw = bytes.map((each) => signed(forge.secret, `${head}.${each.toString("base64url")}`));
  return new Map([
    ...texts.map((each, at) => [`payload ${at}: ${each.slice(0, 60)}`, forged(forge, HS256, each)] as const),
    ...raw.map((each, at) => [`bytes ${at}`, each] as const),
  ]);
}

/** JWEs, tokens in tokens, other serialisations. */
export function ofOtherKinds(forge: Forge): Variants {
  const { token } = forge;
  const [head = "", body = "", signature = ""] = token.split(".");
  const jwe = encoded({ alg: "dir", enc: "A256GCM" });
  return new Map([
    ["a JWE of five segments", `${jwe}..${encoded("iv")}.${body}.${signature}`],
    ["a JWE with a key", `${encoded({ alg: "A256KW", enc: "A256GCM" })}.${signature}.AAAA.${body}.AAAA`],
    ["a JWE by the server's header", `${head}..AAAA.${body}.${signature}`],
    ["a token in a token", forged(forge, HS256, token)],
    ["a token in a token, said so", forged(forge, { ...HS256, cty: "JWT" }, token)],
    ["JSON serialisation", encodeURIComponent(JSON.stringify({ protected: head, payload: body, signature }))],
    [
      "general JSON serialisation",
      encodeURIComponent(JSON.stringify({ payload: body, signatures: [{ protected: head, signature }] })),
    ],
    ["a detached payload", `${head}..${signature}`],
    ["an unencoded payload", `${head}.${encodeURIComponent(JSON.stringify(forge.claims))}.${signature}`],
    ["a PASETO", `v2.local.${body}`],
    ["a signed cookie of another framework", `s:${token}`],
  ]);
}

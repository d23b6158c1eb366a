import { createHmac, createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { cookieOf, firstPerson, freshPassword, logIn, type Person, person, withCookie } from "./person.ts";

const clock = new FakeClock();
let server: TestClaviger;
let own: Person;
let secret: string;
beforeAll(async () => {
  server = await startClaviger({ clock });
  own = await firstPerson(server);
  secret = readFileSync(join(server.dataDir, "secrets", "jwt_secret"), "utf8");
});
afterAll(() => server[Symbol.asyncDispose]());

const encoded = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const signedWith = (key: string, text: string, hash = "sha256") =>
  `${text}.${createHmac(hash, key).update(text).digest("base64url")}`;
/** Signed as the server signs, whatever it says. */
const forged = (header: unknown, payload: unknown) =>
  signedWith(secret, `${encoded(header)}.${encoded(payload)}`);
const HS256 = { alg: "HS256" };
const claims = () => JSON.parse(Buffer.from(own.cookie.split(".")[1] ?? "", "base64url").toString());

async function statusOf(token: string): Promise<number> {
  // So that wrong ones are not yet too many for one address.
  clock.advance(1000);
  return (await server.call({ path: "/api/v1/me", headers: withCookie(token) })).status;
}

test("[U3] what is signed here as the server signs it is let in: so what follows is refused for what it says", async () => {
  expect(await statusOf(forged(HS256, claims()))).toBe(200);
});

test("[U3] no other algorithm, and no other key, is taken", async () => {
  const [head = "", body = "", signature = ""] = own.cookie.split(".");
  const publicKey = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
  const none = ["none", "None", "NONE", "nOnE", ""].flatMap((alg) => [
    `${encoded({ alg })}.${body}.`,
    `${encoded({ alg })}.${body}.${signature}`,
  ]);
  const key = createSecretKey(secret, "utf8");
  const others = ["HS384", "HS512"].map((alg) =>
    new SignJWT(claims()).setProtectedHeader({ alg }).sign(createSecretKey(secret.repeat(2), "utf8")),
  );
  const wide = await new SignJWT(claims()).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key);
  for (const token of [
    ...none,
    ...(await Promise.all(others)),
    wide,
    signedWith(secret, `${encoded({ alg: "HS512" })}.${body}`, "sha512"),
    signedWith(secret, `${encoded({ alg: "RS256" })}.${body}`),
    signedWith(publicKey, `${head}.${body}`),
    signedWith("", `${head}.${body}`),
    signedWith(freshPassword(), `${head}.${body}`),
  ])
    expect(await statusOf(token), token.slice(0, 60)).toBe(401);
});

test("[U3] a header that names a key, a place for one, a type or what must be understood is refused", async () => {
  for (const more of [
    { kid: "../../dev/null" },
    { kid: "' OR 1=1 --" },
    { jku: "https://evil.example/keys" },
    { jwk: { kty: "oct", k: encoded(secret) } },
    { x5u: "https://evil.example/" },
    { crit: ["exp"], exp: 1 },
    { b64: false, crit: ["b64"] },
    { typ: "JWT" },
    { alg: "HS256", zip: "DEF" },
    { cty: "JWT" },
  ])
    expect(await statusOf(forged({ ...HS256, ...more }, claims())), JSON.stringify(more)).toBe(401);
  expect(await statusOf(forged('{"alg":"none","alg":"HS256"}', claims()))).toBe(401);
  expect(await statusOf(forged('{ "alg":"HS256"}', claims()))).toBe(401);
});

test("[U3] exactly sub, jti, iat and exp are taken, each of its kind", async () => {
  const right = claims();
  const { sub: _sub, ...noSub } = right;
  const { exp: _exp, ...noExp } = right;
  const { jti: _jti, ...noJti } = right;
  const { iat: _iat, ...noIat } = right;
  const now = Math.floor(clock.now() / 1000);
  for (const payload of [
    noSub,
    noExp,
    noJti,
    noIat,
    { ...right, nbf: now - 10 },
    { ...right, nbf: now + 1000 },
    { ...right, aud: "claviger" },
    { ...right, admin: true },
    { ...right, exp: now - 1 },
    { ...right, exp: 0 },
    { ...right, exp: -1 },
    { ...right, exp: String(right.exp) },
    { ...right, exp: 1e300 },
    { ...right, exp: right.exp + 0.5 },
    { ...right, iat: null },
    { ...right, sub: [right.sub] },
    { ...right, sub: "user_0000000000000000" },
    { ...right, jti: "sess_0000000000000000" },
    { ...right, jti: "" },
    { ...right, jti: { $ne: null } },
    [right],
    "text",
    null,
    own.cookie,
  ])
    expect(await statusOf(forged(HS256, payload)), JSON.stringify(payload)).toBe(401);
  expect(await statusOf(forged(HS256, `{"__proto__":${JSON.stringify(right)}}`))).toBe(401);
});

test("[U3] a token cut, stripped, stuffed, nested or spelled otherwise is refused", async () => {
  const token = own.cookie;
  const [head = "", body = "", signature = ""] = token.split(".");
  const last = signature.at(-1) ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // 32 bytes leave two bits of the last letter unused: three more letters are read as the same bytes.
  const at = alphabet.indexOf(last);
  const alike = [1, 2, 3].map((bits) => `${head}.${body}.${signature.slice(0, -1)}${alphabet[at ^ bits]}`);
  for (const other of [
    `${head}.${body}`,
    `${head}.${body}.`,
    `.${body}.${signature}`,
    `${head}..${signature}`,
    token.slice(0, -1),
    token.slice(1),
    `${token}=`,
    `${token}.`,
    `${token}.${signature}`,
    ` ${token}x`,
    ...alike,
    `${head}=.${body}.${signature}`,
    `${head}.${body}==.${signature}`,
    token.replaceAll("_", "/").replaceAll("-", "+").concat("="),
    `${head}.${body.slice(0, 10)}!${body.slice(10)}.${signature}`,
    "a".repeat(8000),
    `${head}.${"a".repeat(6000)}.${signature}`,
    forged(HS256, { ...claims(), jti: "x".repeat(4000) }),
    forged({ ...HS256, cty: "JWT" }, token),
    "...",
    "",
  ])
    expect(await statusOf(other), other.slice(0, 40)).toBe(401);
  expect(await statusOf(token)).toBe(200);
});

test("[U3] flipping any letter of the token makes it worth nothing", async () => {
  const token = own.cookie;
  for (let at = 0; at < token.length; at += 3) {
    const other = token[at] === "A" ? "B" : "A";
    expect(await statusOf(token.slice(0, at) + other + token.slice(at + 1)), `letter ${at}`).toBe(401);
  }
});

test("[U3] no cookie that comes along becomes a session: each sign-in has a name of its own", async () => {
  const planted = forged(HS256, { ...claims(), jti: "sess_chosenByAttacker" });
  const body = { password: own.password };
  const first = await logIn(server, body, withCookie(planted));
  const second = await logIn(server, body, withCookie(cookieOf(first).value ?? ""));
  const jtis = [first, second].map((answer) =>
    JSON.parse(Buffer.from(cookieOf(answer).value?.split(".")[1] ?? "", "base64url").toString()),
  );
  expect(new Set([...jtis.map(({ jti }) => jti), "sess_chosenByAttacker"]).size).toBe(3);
  expect(await statusOf(planted)).toBe(401);
});

test("[U3] a cookie that was kept is worth nothing after the sign-out, nor after another password", async () => {
  const other = await person(server, own.password);
  const kept = other.cookie;
  expect(await statusOf(kept)).toBe(200);
  await other.call({ method: "POST", path: "/logout" });
  expect(await statusOf(kept)).toBe(401);
  const before = own.cookie;
  const next = freshPassword();
  expect((await own.changePassword(next)).status).toBe(204);
  own.password = next;
  expect([await statusOf(before), await statusOf(own.cookie)]).toEqual([401, 200]);
});

test("[U3] a cookie is nothing to another server, though both have the same secret and the same host", async () => {
  await using other = await startClaviger({ clock, env: { JWT_SECRET: secret } });
  await using third = await startClaviger({ clock });
  for (const each of [other, third])
    expect((await each.call({ path: "/api/v1/me", headers: withCookie(own.cookie) })).status).toBe(401);
});

test("[U3] a cookie is no credential of the gateway, and no Bearer token anywhere", async () => {
  for (const path of ["/v1/models", "/api/v1/me", "/api/v1/keys"])
    for (const header of ["authorization", "x-api-key"]) {
      const value = header === "authorization" ? `Bearer ${own.cookie}` : own.cookie;
      clock.advance(1000);
      const { status } = await server.call({ path, headers: { [header]: value } });
      expect(status, `${path} ${header}`).toBe(401);
    }
});

test("[U3] a token that claims a later end than its session has ends with it", async () => {
  const time = new FakeClock();
  const env = { JWT_SECRET: secret };
  await using other = await startClaviger({ clock: time, env });
  const { cookie } = await firstPerson(other);
  const said = JSON.parse(Buffer.from(cookie.split(".")[1] ?? "", "base64url").toString());
  const headers = withCookie(forged(HS256, { ...said, exp: said.exp + 100 * 86_400 }));
  time.advance(6 * 86_400_000);
  expect((await other.call({ path: "/api/v1/me", headers })).status).toBe(200);
  time.advance(8 * 86_400_000);
  expect((await other.call({ path: "/api/v1/me", headers })).status).toBe(401);
});

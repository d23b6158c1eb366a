import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, freshPassword, type Person, person, withCookie } from "../people/person.ts";
import { type Outcome, Tally } from "./outcome.ts";
import {
  ofOtherAlgorithms,
  underOtherSecrets,
  withOtherHeaders,
  withoutAlgorithm,
} from "./token-algorithms.ts";
import { ofOtherKinds, withOtherClaims, withOtherPayloads } from "./token-claims.ts";
import { cutOff, spelledOtherwise, withOneLetterChanged } from "./token-shapes.ts";
import { claimsOf, type Forge, forged, HS256, type Variants } from "./token-text.ts";

const ME = { path: "/api/v1/me" };

const KINDS: readonly (readonly [string, (forge: Forge) => Variants])[] = [
  ["token without an algorithm (`none`)", withoutAlgorithm],
  ["token of another algorithm, a public key as the secret", ofOtherAlgorithms],
  ["token under a guessed secret", underOtherSecrets],
  ["token whose header names keys, places or extensions", withOtherHeaders],
  ["token with other claims, rightly signed", withOtherClaims],
  ["token with another payload, rightly signed", withOtherPayloads],
  ["JWE, nested and other tokens", ofOtherKinds],
  ["token with one letter changed, at each place", withOneLetterChanged],
  ["token cut off, at each place", cutOff],
  ["token spelled otherwise", spelledOtherwise],
];

/** A server with somebody signed in, and what is needed to forge his token. */
interface Forgery {
  readonly server: TestClaviger;
  readonly clock: FakeClock;
  readonly own: Person;
  readonly forge: Forge;
}

async function prepare(server: TestClaviger, clock: FakeClock): Promise<Forgery> {
  const own = await firstPerson(server);
  const password = freshPassword();
  const body = { username: "maria", password, permissions: ["superadmin"], must_change_password: false };
  await server.control({ method: "POST", path: "/api/v1/users", body });
  const maria = await person(server, password, "maria");
  const gone = await person(server, own.password);
  const ended = claimsOf(gone.cookie);
  await gone.call({ method: "POST", path: "/logout" });
  const secret = readFileSync(join(server.dataDir, "secrets", "jwt_secret"), "utf8");
  const forge = {
    token: own.cookie,
    secret,
    claims: claimsOf(own.cookie),
    other: claimsOf(maria.cookie),
    ended,
  };
  return { server, clock, own, forge };
}

/** What comes of every forged token. Throws where the right one, or one that is signed here, would not be let in. */
export async function tryTokens(): Promise<Outcome[]> {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const forgery = await prepare(server, clock);
  const { forge } = forgery;
  const outcomes = [];
  for (const [attack, make] of KINDS) {
    const tally = new Tally(attack);
    for (const [name, token] of make(forge)) {
      if (token === forge.token) throw new Error(`${name} is the right token`);
      tally.add(name, await ask(forgery, withCookie(token)));
    }
    outcomes.push(tally.outcome);
  }
  outcomes.push(await tryCookies(forgery), await tryOtherPlaces(forgery));
  for (const token of [forge.token, forged(forge, HS256, forge.claims)])
    if ((await ask(forgery, withCookie(token))).status !== 200) throw new Error("the right token is refused");
  return outcomes;
}

function ask({ server, clock }: Forgery, headers: Readonly<Record<string, string>>, path = ME.path) {
  // So that wrong ones are not yet too many for one address.
  clock.advance(1_000);
  return server.call({ path, headers });
}

/** Two cookies of the name, other names, quotes and other ways to write one. */
async function tryCookies(forgery: Forgery): Promise<Outcome> {
  const { token } = forgery.forge;
  const name = "claviger_session";
  const right = `${name}=${token}`;
  const bad = `${name}=planted`;
  const tally = new Tally("cookie under another name, quoted, or two that differ");
  for (const cookie of [
    `${right}; ${bad}`,
    `${bad}; ${right}`,
    `${right};${bad}`,
    `${right}; ${name}=`,
    `${name}=; ${right}`,
    `${right}; a=b; ${bad}`,
    `${right}; ${name}="${token}"`,
    ...["__Host-", "__Secure-", "x", "$", "_"].map((prefix) => `${prefix}${right}`),
    ...[
      "Claviger_session",
      "CLAVIGER_SESSION",
      "claviger-session",
      "claviger_session[]",
      "claviger%5Fsession",
    ].map((other) => `${other}=${token}`),
    `${name} =${token}`,
    `${name}\t=${token}`,
    `${name}: ${token}`,
    `${name}="${token}"`,
    `${name}='${token}'`,
    `${name}=${token}"`,
    `${name}= ${token}`,
    `${name}==${token}`,
    `$Version=1; ${name}="${token}"; $Path=/`,
    `a="; ${right}`.replace("; ", ", "),
    `a=b, ${right}`,
    `a=${right}`,
    `${right}, ${right}`,
    `${right},a=b`,
    token,
    `=${token}`,
  ])
    tally.add(cookie, await ask(forgery, { cookie }));
  return tally.outcome;
}

/** The cookie where a key belongs, and a key where the cookie belongs. */
async function tryOtherPlaces(forgery: Forgery): Promise<Outcome> {
  const { server, forge } = forgery;
  const { key } = await server.issueKey("mighty", ["superadmin"]);
  const tally = new Tally("cookie as a key, key as a cookie");
  const paths = [
    "/api/v1/me",
    "/api/v1/keys",
    "/api/v1/users",
    "/api/v1/openapi.json",
    "/metrics",
    "/v1/models",
    "/v1/chat/completions",
  ];
  const ways: Readonly<Record<string, string>>[] = [
    { authorization: `Bearer ${forge.token}` },
    { authorization: forge.token },
    { authorization: `Cookie claviger_session=${forge.token}` },
    { authorization: `Basic ${Buffer.from(`admin:${forge.token}`).toString("base64")}` },
    { "x-api-key": forge.token },
    { "x-goog-api-key": forge.token },
    { "api-key": forge.token },
    { "x-session": forge.token, "set-cookie": `claviger_session=${forge.token}` },
    withCookie(key),
    { cookie: `authorization=Bearer ${key}` },
  ];
  for (const path of paths)
    for (const headers of ways) {
      // There somebody of this machine needs no credential; what he presents in a key's place counts all the same.
      if (path.startsWith("/v1") && !isKeyPlace(headers)) continue;
      tally.add(`${path} ${JSON.stringify(headers)}`, await ask(forgery, headers, path));
    }
  for (const name of ["token", "key", "access_token"])
    tally.add(`?${name}`, await ask(forgery, {}, `${ME.path}?${name}=${forge.token}`));
  return tally.outcome;
}

function isKeyPlace(headers: Readonly<Record<string, string>>): boolean {
  return ["authorization", "x-api-key", "x-goog-api-key", "api-key"].some((name) => name in headers);
}

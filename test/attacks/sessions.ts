import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemRandom } from "#platform/lib/random.ts";
import { newSecret, restoreElsewhere, takeBackup } from "#test/backup/backup-talk.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import {
  cookieOf,
  firstPerson,
  freshPassword,
  logIn,
  type Person,
  person,
  withCookie,
} from "../people/person.ts";
import { type Outcome, Tally } from "./outcome.ts";
import { claimsOf, encoded, signed } from "./token-text.ts";

/** What a kept cookie is tried at. */
const CALLS = [
  { path: "/api/v1/me" },
  { path: "/api/v1/me/sessions" },
  { path: "/api/v1/keys" },
  { path: "/api/v1/openapi.json" },
  { method: "POST", path: "/api/v1/keys", body: { name: "replayed", permissions: [] } },
  { method: "POST", path: "/api/v1/me/reauthenticate", body: { password: "whatever it was" } },
  {
    method: "PUT",
    path: "/api/v1/me/password",
    body: { current_password: "a", new_password: "another one" },
  },
  { method: "DELETE", path: "/api/v1/me/sessions" },
  { method: "POST", path: "/api/v1/key/lock" },
  { method: "POST", path: "/logout" },
];
const USERS = "/api/v1/users";

/** A server, its clock, its administrator, and a user to whom things happen. */
interface Place {
  readonly server: TestClaviger;
  readonly clock: FakeClock;
  readonly admin: Person;
  readonly id: string;
  password: string;
}

/** How a session ends; what is given is signed in, twice. */
const ENDS: readonly (readonly [string, (place: Place, own: Person, second: Person) => Promise<unknown>])[] =
  [
    ["the sign-out", (_, own) => own.call({ method: "POST", path: "/logout" })],
    ["another password", (_, own) => own.changePassword(freshPassword())],
    ["another password, given by an administrator", (place) => setPassword(place, freshPassword())],
    ["its end by its owner, from elsewhere", (_, own, second) => endOne(own, second)],
    [
      "the end of all others",
      (_, _own, second) => second.call({ method: "DELETE", path: "/api/v1/me/sessions" }),
    ],
    ["seven days without use", async ({ clock }) => clock.advance(7 * 86_400_000)],
    ["fifty newer ones", (place) => signInOften(place)],
    ["the user's removal", ({ server, id }) => server.control({ method: "DELETE", path: `${USERS}/${id}` })],
  ];

/** Cookies that were kept while they were good, after each end of their sessions, also over a restart and a restore. */
export async function tryReplays(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, end] of ENDS) {
    const tally = new Tally(`cookie kept over ${name}, and over a restart`);
    const clock = new FakeClock();
    await using server = await startClaviger({ clock });
    const place = await prepare(server, clock);
    const [own, second] = [
      await person(server, place.password, "maria"),
      await person(server, place.password, "maria"),
    ];
    const kept = own.cookie;
    await requireIn(server, kept);
    await end(place, own, second);
    await replay(tally, place, server, kept);
    await server.app.close();
    await using again = await startClaviger({ clock, dataDir: server.dataDir });
    await replay(tally, place, again, kept);
    outcomes.push(tally.outcome);
  }
  return [...outcomes, await tryRestored()];
}

async function prepare(server: TestClaviger, clock: FakeClock): Promise<Place> {
  const admin = await firstPerson(server);
  const password = freshPassword();
  const body = { username: "maria", password, permissions: ["superadmin"], must_change_password: false };
  const made = await server.control({ method: "POST", path: USERS, body });
  return { server, clock, admin, id: String(Object(made.json).id), password };
}

async function requireIn(server: TestClaviger, cookie: string): Promise<void> {
  const { status } = await server.call({ path: "/api/v1/me", headers: withCookie(cookie) });
  if (status !== 200) throw new Error(`the cookie is not good in the first place: ${status}`);
}

async function replay(tally: Tally, { clock }: Place, server: TestClaviger, cookie: string): Promise<void> {
  for (const call of CALLS) {
    clock.advance(1_000);
    tally.add(
      `${call.method ?? "GET"} ${call.path}`,
      await server.call({ ...call, headers: withCookie(cookie) }),
    );
  }
}

async function setPassword({ server, id }: Place, password: string): Promise<void> {
  await server.control({ method: "PUT", path: `${USERS}/${id}/password`, body: { password } });
}

async function endOne(own: Person, second: Person): Promise<void> {
  const { jti } = claimsOf(own.cookie);
  await second.call({ method: "DELETE", path: `/api/v1/me/sessions/${jti}` });
}

/** With the two that were there, so that the oldest is one too many. */
async function signInOften({ server, clock, password }: Place): Promise<void> {
  clock.advance(1_000);
  for (let count = 0; count < 50; count++) await person(server, password, "maria");
}

/** A backup has no sessions, also where the same secret signs. */
async function tryRestored(): Promise<Outcome> {
  const tally = new Tally("cookie of before, in a restored backup");
  const clock = new FakeClock();
  const env = { JWT_SECRET: systemRandom.bytes(32).toString("hex") };
  await using server = await startClaviger({ clock, env });
  const place = await prepare(server, clock);
  const password = newSecret();
  const { bytes } = await takeBackup(server, { password: password.expose() });
  using elsewhere = await restoreElsewhere(bytes, { password });
  await using restored = await startClaviger({ clock, env, dataDir: elsewhere.dataDir });
  await requireIn(server, place.admin.cookie);
  await replay(tally, place, restored, place.admin.cookie);
  return tally.outcome;
}

/** Cookies planted before somebody signs in: none becomes his session, nor does he get one that was known before. */
export async function tryFixation(): Promise<Outcome[]> {
  const tally = new Tally("cookie planted before the sign-in");
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { admin, password } = await prepare(server, clock);
  const secret = readFileSync(join(server.dataDir, "secrets", "jwt_secret"), "utf8");
  const attacker = await person(server, password, "maria");
  const { sub } = claimsOf(admin.cookie);
  const head = encoded({ alg: "HS256" });
  const madeUp = { ...claimsOf(attacker.cookie), sub, jti: "sess_chosenByAttacker" };
  const gone = await person(server, admin.password);
  await gone.call({ method: "POST", path: "/logout" });
  const planted = [attacker.cookie, gone.cookie, signed(secret, `${head}.${encoded(madeUp)}`), "planted", ""];
  for (const value of planted)
    for (const more of [{}, { origin: server.url }, { "sec-fetch-site": "same-origin" }]) {
      clock.advance(1_000);
      const answer = await logIn(server, { password: admin.password }, { ...withCookie(value), ...more });
      if (answer.status !== 200) throw new Error(`not signed in: ${answer.text}`);
      const given = claimsOf(cookieOf(answer).value ?? "");
      const me = await server.call({ path: "/api/v1/me", headers: withCookie(value) });
      const isHis = me.text.includes(sub) || planted.some((each) => each.includes(encoded(given)));
      const whose = value === attacker.cookie ? "its own user still" : `${me.status} \`invalid_token\``;
      tally.say(
        value,
        isHis ? "somebody else's session" : whose,
        isHis || (me.status === 200) !== (value === attacker.cookie),
      );
    }
  return [tally.outcome];
}

/** Two servers on one host share the browser's cookie, and nothing that it is worth. */
export async function tryOtherServers(): Promise<Outcome[]> {
  const clock = new FakeClock();
  const outcomes = [];
  for (const [what, env] of [
    ["another secret", {}],
    ["the same secret", { JWT_SECRET: systemRandom.bytes(32).toString("hex") }],
  ] as const) {
    const tally = new Tally(`cookie of another server on the host, ${what}`);
    await using one = await startClaviger({ clock, env });
    await using other = await startClaviger({ clock, env });
    const places = [await prepare(one, clock), await prepare(other, clock)];
    for (const place of places) {
      for (const each of places.filter((each) => each !== place)) {
        await requireIn(place.server, place.admin.cookie);
        await replay(tally, each, each.server, place.admin.cookie);
        const { status } = await each.admin.call({ path: "/api/v1/me" });
        if (status !== 200) throw new Error("it ended another server's session");
      }
    }
    outcomes.push(tally.outcome);
  }
  return outcomes;
}

import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { codeOf, firstPerson, freshPassword, logIn } from "./person.ts";

const ME = "/api/v1/me";
const AWAY = { "x-forwarded-for": "192.0.2.7" };

test("[W1] what people do with their passwords and second factors is recorded, each once: who, what, how it ended, and from where", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: { TRUSTED_PROXIES: "127.0.0.1" } });
  const own = await firstPerson(server);
  const { id } = Object(Object((await own.call({ path: ME })).json).user);
  const rows: string[] = [];
  const seen = new Set<string>();
  /** The rows that nobody saw before, the oldest first. */
  const fresh = async () => {
    const { json } = await server.control({ path: "/api/v1/audit?limit=200" });
    const found = Object(json).data.map(Object).toReversed();
    return found.filter(({ hash }: { hash: string }) => !seen.has(hash) && seen.add(hash));
  };
  /** Does something, and keeps the rows that it leaves within its minute. */
  const note = async (
    what: string,
    act: (headers: Record<string, string>) => Promise<{ status: number }>,
  ) => {
    const { status } = await act(AWAY);
    clock.advance(60_000);
    for (const { actor, action, target, outcome, address, count } of await fresh()) {
      expect(address, what).toBe(AWAY["x-forwarded-for"]);
      const who = actor === id ? "admin" : actor;
      rows.push(
        `${what}, ${status}: ${who} ${action} ${target} ${outcome} ${count}`.replace(/sess_\w+/, "sess_…"),
      );
    }
  };
  await fresh();
  const next = freshPassword();
  const put = (headers: Record<string, string>, current: string) => {
    const body = { current_password: current, new_password: next };
    return own.call({ method: "PUT", path: `${ME}/password`, headers, body });
  };
  const again = (headers: Record<string, string>, password: string) =>
    own.call({ method: "POST", path: `${ME}/reauthenticate`, headers, body: { password } });
  await note("sign-in", (headers) => logIn(server, { password: own.password }, headers));
  await note("wrong password", (headers) => logIn(server, { password: next }, headers));
  await note("unknown user", (headers) => logIn(server, { username: "nobody", password: next }, headers));
  await note("change with a wrong one", (headers) => put(headers, freshPassword()));
  await note("change", (headers) => put(headers, own.password));
  await note("again", (headers) => again(headers, next));
  await note("again with a wrong one", (headers) => again(headers, own.password));
  const factor = `${ME}/second-factor`;
  let secret = "";
  await note("factor begun", async (headers) => {
    const begun = await own.call({ method: "POST", path: factor, headers });
    secret = String(Object(begun.json).secret);
    return begun;
  });
  await note("factor on", (headers) => {
    const body = { code: codeOf(secret, clock.now()) };
    return own.call({ method: "POST", path: `${factor}/confirm`, headers, body });
  });
  await note("factor off", (headers) => own.call({ method: "DELETE", path: factor, headers }));
  await note("others ended", (headers) => own.call({ method: "DELETE", path: `${ME}/sessions`, headers }));
  await note("sign-out", (headers) => own.call({ method: "POST", path: "/logout", headers }));
  for (let tries = 0; tries < 10; tries++) await logIn(server, { password: freshPassword() }, AWAY);
  clock.advance(60_000);
  await fresh();
  await note("locked out", (headers) => logIn(server, { password: next }, headers));
  expect(rows).toEqual([
    "sign-in, 200: admin user.login admin success 1",
    "wrong password, 401: anonymous user.login /login/password denied 1",
    "unknown user, 401: anonymous user.login /login/password denied 1",
    "change with a wrong one, 403: admin user.password /api/v1/me/password denied 1",
    "change, 204: admin user.password admin success 1",
    "again, 204: admin user.reauthenticate admin success 1",
    "again with a wrong one, 403: admin user.reauthenticate /api/v1/me/reauthenticate denied 1",
    "factor begun, 200: admin user.second_factor.begin admin success 1",
    "factor on, 200: admin user.second_factor.on admin success 1",
    "factor off, 204: admin user.second_factor.off admin success 1",
    "others ended, 204: admin session.end_others null success 1",
    "sign-out, 204: admin user.logout sess_… success 1",
    "locked out, 429: anonymous user.login /login/password denied 1",
  ]);
});

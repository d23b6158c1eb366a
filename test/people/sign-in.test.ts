import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { cookieOf, firstPerson, freshPassword, logIn, Person, person, withCookie } from "./person.ts";

const ME = { path: "/api/v1/me" };
const KEYS = { path: "/api/v1/keys" };
const DAY_MS = 86_400_000;

test("[U1] [H1] a user signs in with his password, reads who he is, and signs out; the cookie is worth nothing then", async () => {
  await using server = await startClaviger();
  const { password } = await firstPerson(server);
  const answer = await logIn(server, { password });
  const shown = {
    user: { id: expect.stringMatching(/^user_\w{16}$/), username: "admin", permissions: ["superadmin"] },
    must_change_password: false,
  };
  expect([answer.status, answer.json]).toEqual([200, shown]);
  const { value = "" } = cookieOf(answer);
  const me = await server.call({ ...ME, headers: withCookie(value) });
  expect([me.status, me.json]).toEqual([
    200,
    { ...shown, second_factor: false, actions: expect.arrayContaining(["users.manage"]) },
  ]);
  expect((await server.call({ ...KEYS, headers: withCookie(value) })).status).toBe(200);
  const out = await server.call({ method: "POST", path: "/logout", headers: withCookie(value) });
  expect([out.status, out.text, cookieOf(out)]).toEqual([
    204,
    "",
    expect.objectContaining({ value: "", "max-age": "0" }),
  ]);
  for (const call of [ME, KEYS, { method: "POST", path: "/logout" }])
    expect((await server.call({ ...call, headers: withCookie(value) })).status).toBe(401);
});

test("[U1] a wrong password and an unknown user are answered alike, without a cookie", async () => {
  await using server = await startClaviger();
  await firstPerson(server);
  const answers = [];
  for (const username of ["admin", "nobody"])
    answers.push(await logIn(server, { username, password: freshPassword() }));
  const said = answers.map(({ status, json, headers }) => {
    const { request_id: _id, ...problem } = Object(json);
    return { status, problem, headers: Object.keys(headers).toSorted() };
  });
  expect(said[0]).toEqual(said[1]);
  expect(said[0]).toMatchObject({ status: 401, problem: { code: "sign_in_refused" } });
  expect(said[0]?.headers).not.toContain("set-cookie");
});

test("[H1] a password is changed by who knows it: another by the rules, and all sessions end", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const other = await person(server, own.password);
  const before = own.cookie;
  const next = freshPassword();
  const wrong = await own.changePassword(next, freshPassword());
  expect([wrong.status, wrong.json]).toEqual([403, expect.objectContaining({ code: "wrong_password" })]);
  for (const weak of ["short", "passwordpassword1", "admin-admin-x1", own.password]) {
    const refused = await own.changePassword(weak);
    expect([refused.status, refused.json]).toEqual([400, expect.objectContaining({ code: "weak_password" })]);
  }
  expect((await own.changePassword(next)).status).toBe(204);
  expect(own.cookie).not.toBe(before);
  expect(await own.status(ME)).toBe(200);
  expect((await server.call({ ...ME, headers: withCookie(before) })).status).toBe(401);
  expect(await other.status(ME)).toBe(401);
  expect((await logIn(server, { password: own.password })).status).toBe(401);
  expect((await logIn(server, { password: next })).status).toBe(200);
});

test("[U3] the cookie is HttpOnly and SameSite=Strict for the whole server, and ends after seven days without use", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { password } = await firstPerson(server);
  const cookie = cookieOf(await logIn(server, { password }));
  const { value = "", ...attributes } = cookie;
  expect(attributes).toEqual({ path: "/", "max-age": "604800", httponly: "", samesite: "Strict" });
  const claims = JSON.parse(Buffer.from(value.split(".")[1] ?? "", "base64url").toString());
  const iat = clock.now() / 1000;
  expect(claims).toEqual({
    sub: expect.stringMatching(/^user_/),
    jti: expect.stringMatching(/^sess_/),
    iat,
    exp: iat + 7 * 86_400,
  });
  clock.advance(7 * DAY_MS - 1000);
  expect((await server.call({ ...ME, headers: withCookie(value) })).status).toBe(200);
  clock.advance(1000);
  expect((await server.call({ ...ME, headers: withCookie(value) })).status).toBe(401);
});

test("[U3] a session that is used slides, also over a restart, and ends thirty days after the sign-in all the same", async () => {
  const clock = new FakeClock();
  await using first = await startClaviger({ clock });
  const own = await firstPerson(first);
  const begun = clock.now();
  const before = own.cookie;
  clock.advance(60 * 60_000 - 1000);
  expect(await own.status(ME)).toBe(200);
  expect(own.cookie).toBe(before);
  for (let day = 0; day < 5; day++) {
    clock.advance(5 * DAY_MS);
    expect(await own.status(ME), `after ${clock.now() - begun} ms`).toBe(200);
  }
  expect(own.cookie).not.toBe(before);
  await first.app.close();
  await using again = await startClaviger({ clock, dataDir: first.dataDir });
  const late = new Person(again, own);
  clock.advance(begun + 30 * DAY_MS - clock.now() - 1000);
  expect(await late.status(ME)).toBe(200);
  clock.advance(1000);
  expect(await late.status(ME)).toBe(401);
});

test("[U3] the cookie is Secure behind a proxy that ends TLS, and no Bearer token", async () => {
  await using server = await startClaviger({ env: { AUTH_COOKIE_SECURE: "true" } });
  const answer = await logIn(server, { password: "123456" });
  const { value = "", secure } = cookieOf(answer);
  expect(secure).toBe("");
  const bearer = { authorization: `Bearer ${value}` };
  expect((await server.call({ ...ME, headers: bearer })).status).toBe(401);
});

test("[S11] sign-in, sign-out and what is one's own work while the server is locked, and nothing else does", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const key = `${freshPassword()} of the server`;
  await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } });
  expect(await own.status({ method: "POST", path: "/api/v1/key/lock" })).toBe(200);
  expect(await own.status(ME)).toBe(200);
  expect(await own.status(KEYS)).toBe(503);
  const again = await person(server, own.password);
  const next = freshPassword();
  expect((await again.changePassword(next)).status).toBe(204);
  expect(
    await again.status({ method: "POST", path: "/api/v1/me/reauthenticate", body: { password: next } }),
  ).toBe(204);
  expect(await again.status({ method: "POST", path: "/api/v1/key/unlock", body: { key } })).toBe(200);
  expect(await again.status(KEYS)).toBe(200);
  expect(await again.status({ method: "POST", path: "/logout" })).toBe(204);
});

test("[U6] initialize, rotate, backup and the recovery key ask a session for the password again after 15 minutes", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const key = freshPassword();
  const guarded = [
    { method: "POST", path: "/api/v1/key/initialize", body: { key: "short" } },
    { method: "POST", path: "/api/v1/key/rotate", body: { current_key: key, new_key: key } },
    { method: "DELETE", path: "/api/v1/key/recovery" },
    { method: "GET", path: "/api/v1/backup" },
    { method: "POST", path: "/api/v1/backup", body: { password: "short" } },
  ];
  const refused = async () => {
    const codes = [];
    for (const call of guarded) codes.push(String(Object((await own.call(call)).json).code));
    return codes.filter((code) => code === "reauthenticate").length;
  };
  clock.advance(15 * 60_000);
  expect(await refused()).toBe(0);
  clock.advance(1);
  expect(await refused()).toBe(guarded.length);
  expect(await own.status(KEYS)).toBe(200);
  const again = { method: "POST", path: "/api/v1/me/reauthenticate" };
  expect(await own.status({ ...again, body: { password: key } })).toBe(403);
  expect(await refused()).toBe(guarded.length);
  expect(await own.status({ ...again, body: { password: own.password } })).toBe(204);
  expect(await refused()).toBe(0);
  clock.advance(16 * 60_000);
  const bearer = { authorization: `Bearer ${(await server.issueKey("robot", ["superadmin"])).key}` };
  expect(
    (
      await server.call({
        method: "POST",
        path: "/api/v1/key/initialize",
        body: { key: "short" },
        headers: bearer,
      })
    ).json,
  ).toMatchObject({ code: "key_too_short" });
  expect(
    (await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key: "short" } })).json,
  ).toMatchObject({ code: "key_too_short" });
});

test("[U3] an answer sets one cookie at most: that of the new session, or none of any, where the old one was to be prolonged", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  clock.advance(2 * 60 * 60_000);
  // More than one would be thrown.
  expect((await own.changePassword(freshPassword())).status).toBe(204);
  expect(await own.status(ME)).toBe(200);
  clock.advance(2 * 60 * 60_000);
  const out = await own.call({ method: "POST", path: "/logout" });
  expect([out.status, cookieOf(out).value]).toEqual([204, ""]);
});

import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, freshPassword, logIn, Person, person, withCookie } from "./person.ts";

const USERS = "/api/v1/users";
const ME = { path: "/api/v1/me" };

type By = { readonly call: TestClaviger["call"] };

async function add(by: By, username: string, permissions: readonly string[], password = freshPassword()) {
  const body = { username, password, permissions, must_change_password: false };
  const answer = await by.call({ method: "POST", path: USERS, body });
  return { answer, code: Object(answer.json).code, id: String(Object(answer.json).id), password };
}

/** A user with these sets, signed in. */
async function somebody(server: TestClaviger, username: string, permissions: readonly string[]) {
  const { id, password } = await add({ call: server.control }, username, permissions);
  return Object.assign(await person(server, password, username), { id });
}

const setsOf = (by: Person, id: string, permissions: readonly string[]) =>
  by.call({ method: "PATCH", path: `${USERS}/${id}`, body: { permissions } });

test("[H8] [U5] users are added, listed, changed and removed, and a password given by another must be changed", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const body = { username: "Maria", password: freshPassword(), permissions: ["viewer"] };
  const made = await own.call({ method: "POST", path: USERS, body });
  expect([made.status, made.json]).toEqual([
    201,
    {
      id: expect.stringMatching(/^user_\w{16}$/),
      username: "maria",
      permissions: ["viewer"],
      must_change_password: true,
      second_factor: false,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      last_signed_in_at: null,
    },
  ]);
  expect(made.text).not.toContain(body.password);
  const { id } = Object(made.json);
  const maria = await person(server, body.password, "MARIA");
  expect(await maria.status({ path: "/api/v1/status" })).toBe(403);
  expect((await maria.changePassword(freshPassword())).status).toBe(204);
  expect(await maria.status({ path: "/api/v1/status" })).toBe(200);
  expect(await maria.status({ path: USERS })).toBe(403);
  expect((await setsOf(own, id, [])).json).toMatchObject({ permissions: [] });
  expect(await maria.status({ path: "/api/v1/status" })).toBe(403);
  const listed = await own.call({ path: USERS });
  expect(Object(listed.json).data.map((user: object) => Object(user).username)).toEqual(["admin", "maria"]);
  expect(listed.text).not.toContain("argon2");
  expect(await own.status({ method: "DELETE", path: `${USERS}/${id}` })).toBe(204);
  expect(await maria.status(ME)).toBe(401);
  expect(await own.status({ method: "DELETE", path: `${USERS}/${id}` })).toBe(404);
  const audit = await server.control({ path: "/api/v1/audit?limit=100" });
  for (const action of ["user.create", "user.update", "user.remove", "user.password", "user.login"])
    expect(audit.text).toContain(`"${action}"`);
});

test("[U5] a name that is taken, a weak password and a set nobody knows make no user", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  expect((await add(own, "maria", [])).answer.status).toBe(201);
  const tries = [
    [await add(own, "Maria", []), 409, "conflict"],
    [await add(own, "peter", [], "peter-peter-peter"), 400, "weak_password"],
    [await add(own, "peter", ["nothing-like-it"]), 400, "bad_request"],
    [await add(own, "pe ter", []), 400, "bad_request"],
    [await add(own, "-peter", []), 400, "bad_request"],
  ] as const;
  for (const [{ answer, code }, status, wanted] of tries)
    expect([answer.status, code]).toEqual([status, wanted]);
  const both = await Promise.all([add(own, "twice", []), add(own, "twice", [])]);
  expect(both.map(({ answer }) => answer.status).toSorted()).toEqual([201, 409]);
});

test("[U5] permission sets that are given while somebody changes his password stay", async () => {
  await using server = await startClaviger();
  await firstPerson(server);
  const maria = await somebody(server, "maria", ["operator"]);
  const [changed, given] = await Promise.all([
    maria.changePassword(freshPassword()),
    server.control({ method: "PATCH", path: `${USERS}/${maria.id}`, body: { permissions: ["viewer"] } }),
  ]);
  expect([changed.status, given.status]).toEqual([204, 200]);
  const listed = await server.control({ path: `${USERS}?search=maria` });
  expect(Object(listed.json).data).toMatchObject([{ permissions: ["viewer"] }]);
});

test("[U5] the last superadmin is neither removed nor given less, not even by two requests at once", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const { id } = Object(Object((await own.call(ME)).json).user);
  const remove = (by: By, which: string) => by.call({ method: "DELETE", path: `${USERS}/${which}` });
  for (const answer of [
    await remove(own, id),
    await remove({ call: server.control }, id),
    await setsOf(own, id, ["operator"]),
  ])
    expect([answer.status, Object(answer.json).code]).toEqual([409, "last_superadmin"]);
  const second = await add(own, "second", ["superadmin", "viewer"]);
  const answers = await Promise.all([
    remove({ call: server.control }, id),
    remove({ call: server.control }, second.id),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
});

test("[I15] [U5] nobody makes, changes or takes over a user who may do more than himself; removing is allowed", async () => {
  const yaml = JSON.stringify({
    resources: { clerk: { resource_type: "PermissionSet", allow: ["users.manage", "*.read"] } },
  });
  await using server = await startClaviger({ yaml });
  await firstPerson(server);
  const clerk = await somebody(server, "clerk", ["clerk"]);
  const boss = await somebody(server, "boss", ["superadmin"]);
  const exceeds = { code: "exceeds_own_rights" };
  const password = freshPassword();
  const own = await add(clerk, "reader", ["viewer"]);
  expect(own.answer.status).toBe(201);
  for (const answer of [
    (await add(clerk, "other", ["operator"])).answer,
    await setsOf(clerk, own.id, ["superadmin"]),
    await setsOf(clerk, clerk.id, ["superadmin"]),
    await setsOf(clerk, boss.id, []),
    await clerk.call({ method: "PUT", path: `${USERS}/${boss.id}/password`, body: { password } }),
  ])
    expect([answer.status, answer.json]).toEqual([403, expect.objectContaining(exceeds)]);
  expect((await logIn(server, { username: "boss", password })).status).toBe(401);
  expect(await boss.status(ME)).toBe(200);
  expect(await clerk.status({ method: "DELETE", path: `${USERS}/${boss.id}` })).toBe(204);
  const key = await server.issueKey("narrow", ["clerk"]);
  const narrow = { models: ["openai/*"] };
  await server.control({ method: "PATCH", path: `/api/v1/keys/${key.id}`, body: narrow });
  const byKey = {
    call: (call: Parameters<TestClaviger["call"]>[0]) =>
      server.call({ ...call, headers: { authorization: `Bearer ${key.key}` } }),
  };
  expect((await add(byKey, "wide", ["viewer"])).code).toBe("exceeds_own_rights");
});

test("[U6] changes of users ask a session for the password again, and no key", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const { id } = await add(own, "maria", []);
  clock.advance(15 * 60_000 + 1);
  const password = freshPassword();
  const changes = [
    { method: "POST", path: USERS, body: { username: "peter", password, permissions: [] } },
    { method: "PATCH", path: `${USERS}/${id}`, body: { permissions: [] } },
    { method: "PUT", path: `${USERS}/${id}/password`, body: { password } },
    { method: "DELETE", path: `${USERS}/${id}` },
  ];
  for (const call of changes) expect((await own.call(call)).json).toMatchObject({ code: "reauthenticate" });
  expect(await own.status({ path: USERS })).toBe(200);
  const again = { method: "POST", path: "/api/v1/me/reauthenticate", body: { password: own.password } };
  expect(await own.status(again)).toBe(204);
  for (const call of changes) expect(await own.status(call)).toBeLessThan(300);
});

test("[U6] [U3] sessions are listed with where they came from, ended one by one, or all but this one, at once", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  clock.advance(1000);
  const [second, third] = [await person(server, own.password), await person(server, own.password)];
  const agent = { "user-agent": `curl/8 ${"\u00e9".repeat(3)}${"x".repeat(300)}` };
  await logIn(server, { password: own.password }, agent);
  const list = async () => Object((await own.call({ path: "/api/v1/me/sessions" })).json).data.map(Object);
  const before = await list();
  expect(before).toHaveLength(4);
  expect(before.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
  expect(before[3]).toMatchObject({
    current: true,
    address: "127.0.0.1",
    id: expect.stringMatching(/^sess_/),
  });
  expect(before.map((each: { user_agent: string | null }) => each.user_agent?.length ?? 0)).toContain(200);
  const jti = JSON.parse(Buffer.from(second.cookie.split(".")[1] ?? "", "base64url").toString()).jti;
  const maria = await somebody(server, "maria", ["viewer"]);
  expect(await maria.status({ method: "DELETE", path: `/api/v1/me/sessions/${jti}` })).toBe(404);
  expect(await second.status(ME)).toBe(200);
  expect(await own.status({ method: "DELETE", path: `/api/v1/me/sessions/${jti}` })).toBe(204);
  expect(await second.status(ME)).toBe(401);
  expect(await third.status(ME)).toBe(200);
  expect(await own.status({ method: "DELETE", path: "/api/v1/me/sessions" })).toBe(204);
  expect([await third.status(ME), await own.status(ME), await maria.status(ME)]).toEqual([401, 200, 200]);
  expect(await list()).toHaveLength(1);
});

test("[U3] what ended stays ended over a restart, and who is signed in stays so", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const gone = await person(server, own.password);
  await gone.call({ method: "POST", path: "/logout" });
  const { id } = await add(own, "maria", ["viewer"]);
  await server.app.close();
  await using again = await startClaviger({ clock, dataDir: server.dataDir });
  const ask = (cookie: string, path: string) => again.call({ path, headers: withCookie(cookie) });
  expect((await ask(gone.cookie, "/api/v1/me")).status).toBe(401);
  expect((await ask(own.cookie, USERS)).text).toContain(id);
});

test("[U3] [U6] a restart gives no session more time, and no password that was given a later one", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const id = Object((await add(own, "maria", [])).answer.json).id;
  clock.advance(16 * 60_000);
  const sessions = { path: "/api/v1/me/sessions" };
  const before = (await own.call(sessions)).json;
  await server.app.close();
  await using again = await startClaviger({ clock, dataDir: server.dataDir });
  const late = new Person(again, own);
  expect((await late.call(sessions)).json).toEqual(before);
  const refused = await late.call({ method: "DELETE", path: `${USERS}/${id}` });
  expect([refused.status, refused.json]).toEqual([403, expect.objectContaining({ code: "reauthenticate" })]);
});

test("[U4] [N10] a password set over the control socket clears every lockout, on a locked server too; by the API it does not", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: { TRUSTED_PROXIES: "127.0.0.1" } });
  const own = await firstPerson(server);
  const { id } = Object(Object((await own.call(ME)).json).user);
  const away = { "x-forwarded-for": "192.0.2.1" };
  for (let tries = 0; tries < 10; tries++) await logIn(server, { password: freshPassword() }, away);
  const path = `${USERS}/${id}/password`;
  const [byApi, onMachine] = [freshPassword(), freshPassword()];
  expect(
    await own.status({ method: "PUT", path, body: { password: byApi, must_change_password: false } }),
  ).toBe(204);
  expect((await logIn(server, { password: byApi }, away)).status).toBe(429);
  const key = freshPassword();
  await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } });
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  expect((await server.control({ path: USERS })).status).toBe(200);
  const body = { password: onMachine, must_change_password: false };
  expect((await server.control({ method: "PUT", path, body })).status).toBe(204);
  expect((await logIn(server, { password: onMachine }, away)).status).toBe(200);
  expect((await server.control({ method: "DELETE", path: `${USERS}/${id}` })).status).toBe(503);
});

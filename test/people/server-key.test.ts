import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, freshPassword, Person, person, withCookie } from "./person.ts";

const STATUS = "/api/v1/key/status";
const ME = { path: "/api/v1/me" };
const post = (what: string, body?: object) => ({ method: "POST", path: `/api/v1/key/${what}`, body });
const said = async (by: Pick<Person, "call">, call: Parameters<Person["call"]>[0]) => {
  const { status, json } = await by.call(call);
  return [status, Object(json).code];
};

/** Another user, signed in. */
async function somebody(server: TestClaviger, username: string, permissions: string[]): Promise<Person> {
  const password = freshPassword();
  const body = { username, password, permissions, must_change_password: false };
  await server.control({ method: "POST", path: "/api/v1/users", body });
  return await person(server, password, username);
}

test("[S1] [S2] a session with settings.manage sets the server key, once; none, and one without, do not", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const viewer = await somebody(server, "viewer", ["viewer", "operator"]);
  const secret = { value: freshPassword().replace(" ", "-") };
  expect(await own.status({ method: "PUT", path: "/api/v1/credentials/main", body: secret })).toBeLessThan(
    300,
  );
  const key = freshPassword();
  expect(await said(server, post("initialize", { key }))).toEqual([401, "invalid_token"]);
  expect(await said(viewer, post("initialize", { key }))).toEqual([403, "forbidden"]);
  expect(await said(own, post("initialize", { key: "short" }))).toEqual([400, "key_too_short"]);
  expect((await own.call({ path: STATUS })).json).toEqual({ initialized: false, unlocked: true });
  expect(await said(own, post("initialize", { key }))).toEqual([200, undefined]);
  expect((await own.call({ path: STATUS })).json).toEqual({ initialized: true, unlocked: true });
  expect((await said(own, post("initialize", { key })))[0]).toBe(409);
});

test("[S3] [S4] [S5] [S6] [S9] [S11] a session locks, is kept over that and over a restart, and unlocks; one without settings.manage does neither", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const viewer = await somebody(server, "viewer", ["viewer"]);
  const key = freshPassword();
  expect(await said(own, post("unlock", { key }))).toEqual([400, "key_not_initialized"]);
  expect(await said(own, post("initialize", { key }))).toEqual([200, undefined]);
  expect(await said(viewer, post("lock"))).toEqual([403, "forbidden"]);
  expect([await own.status(post("lock")), await own.status(post("lock"))]).toEqual([200, 200]);
  expect([await own.status(ME), await viewer.status(ME)]).toEqual([200, 200]);
  expect(await said(own, { path: "/api/v1/keys" })).toEqual([503, "server_locked"]);
  expect((await said(own, post("initialize", { key })))[0]).toBe(409);
  expect(await said(own, post("rotate", { current_key: key, new_key: key }))).toEqual([409, "server_locked"]);
  await server.app.close();
  await using again = await startClaviger({ clock, dataDir: server.dataDir });
  const [kept, other] = [own, viewer].map((each) => new Person(again, each));
  if (kept === undefined || other === undefined) throw new Error("nobody is signed in");
  expect((await again.call({ path: STATUS })).json).toEqual({ initialized: true, unlocked: false });
  expect([await kept.status(ME), await other.status(ME)]).toEqual([200, 200]);
  expect(await said(again, post("unlock", { key }))).toEqual([401, "invalid_token"]);
  expect(await said(other, post("unlock", { key }))).toEqual([403, "forbidden"]);
  expect(await said(kept, post("unlock", { key: freshPassword() }))).toEqual([403, "wrong_key"]);
  expect((await again.call({ path: STATUS })).json).toEqual({ initialized: true, unlocked: false });
  expect([await kept.status(post("unlock", { key })), await kept.status(post("unlock", { key }))]).toEqual([
    200, 200,
  ]);
  expect(await kept.status({ path: "/api/v1/keys" })).toBe(200);
});

test("[S5] tries of a session are slowed down after three, and 429 in time; another user's and the control socket's are not", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const other = await somebody(server, "other", ["superadmin"]);
  const key = freshPassword();
  await own.call(post("initialize", { key }));
  await own.call(post("lock"));
  const wrong = () => said(own, post("unlock", { key: freshPassword() }));
  for (let tries = 0; tries < 3; tries++) expect(await wrong()).toEqual([403, "wrong_key"]);
  const held = await own.call(post("unlock", { key }));
  expect([held.status, held.headers["retry-after"]]).toEqual([429, "1"]);
  expect((await server.control(post("unlock", { key }))).status).toBe(200);
  await own.call(post("lock"));
  expect(await other.status(post("unlock", { key }))).toBe(200);
  clock.advance(1000);
  expect(await own.status(post("unlock", { key }))).toBe(200);
});

test("[S7] [S8] a session rotates the key, with its password given again, and repairs by equal keys", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  expect(
    await own.status({
      method: "PUT",
      path: "/api/v1/credentials/main",
      body: { value: freshPassword().replace(" ", "-") },
    }),
  ).toBeLessThan(300);
  const [key, next] = [freshPassword(), freshPassword()];
  expect(await said(own, post("rotate", { current_key: key, new_key: next }))).toEqual([
    400,
    "key_not_initialized",
  ]);
  await own.call(post("initialize", { key }));
  clock.advance(15 * 60_000 + 1);
  const rotate = post("rotate", { current_key: key, new_key: next });
  expect(await said(own, rotate)).toEqual([403, "reauthenticate"]);
  const again = { method: "POST", path: "/api/v1/me/reauthenticate", body: { password: own.password } };
  expect(await own.status(again)).toBe(204);
  expect(await said(own, post("rotate", { current_key: next, new_key: key }))).toEqual([403, "wrong_key"]);
  expect(await said(own, post("rotate", { current_key: key, new_key: "short" }))).toEqual([
    400,
    "key_too_short",
  ]);
  expect((await own.call(rotate)).json).toMatchObject({ resealed: expect.any(Number), failed: [] });
  expect((await own.call({ path: "/api/v1/key/reseal" })).json).toMatchObject({ running: false });
  clock.advance(60_000);
  expect(await said(own, post("unlock", { key }))).toEqual([403, "wrong_key"]);
  expect(await own.status(post("unlock", { key: next }))).toBe(200);
  const repaired = await own.call(post("rotate", { current_key: next, new_key: next }));
  expect(repaired.json).toMatchObject({ resealed: 0, failed: [] });
  const { status } = await server.call({ ...rotate, headers: withCookie("none") });
  expect(status).toBe(401);
});

test("[U6] a password given before the clock was set back is asked for again", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  clock.advance(30 * 60_000);
  const again = { method: "POST", path: "/api/v1/me/reauthenticate", body: { password: own.password } };
  expect(await own.status(again)).toBe(204);
  expect(await said(own, post("initialize", { key: "short" }))).toEqual([400, "key_too_short"]);
  clock.advance(-30 * 60_000);
  expect(await said(own, post("initialize", { key: "short" }))).toEqual([403, "reauthenticate"]);
});

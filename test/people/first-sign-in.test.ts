import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { cookieOf, freshPassword, logIn, Person, person } from "./person.ts";

const KEYS = { path: "/api/v1/keys" };
const CODE = { method: "POST", path: "/api/v1/setup-code" };

const codeOf = async (server: TestClaviger) => String(Object((await server.control(CODE)).json).code);

test("[U2] 123456 signs in once, from this machine, and that session can do nothing but set a new password", async () => {
  await using server = await startClaviger();
  for (const headers of [{ "x-forwarded-for": "127.0.0.1" }, { host: "192.0.2.1" }])
    expect((await logIn(server, { password: "123456" }, headers)).status).toBe(401);
  const first = await logIn(server, { password: "123456" });
  expect([first.status, first.json]).toEqual([200, expect.objectContaining({ must_change_password: true })]);
  const own = new Person(server, { cookie: cookieOf(first).value ?? "", password: "123456" });
  const refused = await own.call(KEYS);
  expect([refused.status, refused.json]).toEqual([
    403,
    expect.objectContaining({ code: "password_change_required" }),
  ]);
  for (const route of server.app.routes()) {
    const { contract } = route;
    const isGateway = contract?.family !== "api" || contract.action === "open";
    if (isGateway || contract.beforePasswordChange === true || contract.path === "/sse") continue;
    const path = contract.path.replaceAll(/\{\w+\}/g, "thing");
    const { status, json } = await own.call({ method: route.method, path });
    // A body that is wrong is said first.
    expect([403, 400], route.path).toContain(status);
    if (status === 403 && route.method !== "HEAD")
      expect(json).toMatchObject({ code: "password_change_required" });
  }
  expect((await logIn(server, { password: "123456" })).status).toBe(401);
  expect((await own.changePassword(freshPassword())).status).toBe(204);
  expect(await own.status(KEYS)).toBe(200);
  expect((await logIn(server, { password: "123456" })).status).toBe(401);
});

test("[U2] INITIAL_PASSWORD signs in once, also from elsewhere, and must be changed; 123456 is nothing then", async () => {
  const initial = freshPassword();
  await using server = await startClaviger({ env: { INITIAL_PASSWORD: initial } });
  expect((await logIn(server, { password: "123456" })).status).toBe(401);
  const from = { "x-forwarded-for": "192.0.2.1" };
  const answers = await Promise.all([1, 2, 3, 4].map(() => logIn(server, { password: initial }, from)));
  const statuses = answers.map(({ status }) => status).toSorted();
  expect(statuses).toEqual([200, 401, 401, 401]);
  const won = answers.find(({ status }) => status === 200);
  expect(won?.json).toMatchObject({ must_change_password: true });
  expect((await logIn(server, { password: initial })).status).toBe(401);
});

test("[U2] a server that others reach takes a setup code instead, once; it is shown to the control socket alone", async () => {
  await using server = await startClaviger({
    listen: ["0.0.0.0:0"],
    yaml: "settings: { allow_plain_http: true }",
  });
  for (const host of [new URL(server.url).host, "localhost"])
    expect((await logIn(server, { password: "123456" }, { host })).status, host).toBe(401);
  const { key } = await server.issueKey("mighty", ["superadmin"]);
  expect((await server.call({ ...CODE, headers: { authorization: `Bearer ${key}` } })).status).toBe(403);
  const code = await codeOf(server);
  expect(code).toMatch(/^[0-9A-Za-z]{20}$/);
  expect([await codeOf(server), server.app.setupCode]).toEqual([code, code]);
  expect(server.logged()).not.toContain(code);
  expect((await logIn(server, { password: `${code.slice(0, -1)}_` })).status).toBe(401);
  const own = await person(server, code);
  expect((await logIn(server, { password: code })).status).toBe(401);
  // Who lost that session before he set a password gets another code.
  const second = await codeOf(server);
  expect(second).not.toBe(code);
  const again = await person(server, second);
  expect(await own.status(KEYS)).toBe(401);
  expect((await again.changePassword(freshPassword())).status).toBe(204);
  expect((await server.control(CODE)).status).toBe(409);
});

test("[U2] a setup code that was shown is nothing once its user has a password of his own", async () => {
  await using server = await startClaviger();
  const own = await person(server, await codeOf(server));
  const shown = await codeOf(server);
  const next = freshPassword();
  expect((await own.changePassword(next)).status).toBe(204);
  expect((await logIn(server, { password: shown })).status).toBe(401);
  expect((await logIn(server, { password: next })).status).toBe(200);
});

test("[U2] where another user was added first, nobody signs in as the first one without a password of his own", async () => {
  await using server = await startClaviger();
  const code = await codeOf(server);
  const maria = { username: "maria", password: freshPassword(), permissions: ["superadmin"] };
  expect((await server.control({ method: "POST", path: "/api/v1/users", body: maria })).status).toBe(201);
  for (const password of ["123456", code]) expect((await logIn(server, { password })).status).toBe(401);
  expect((await server.control(CODE)).status).toBe(409);
});

test("[U2] an initial password that everybody tries is refused where others could try it", async () => {
  const yaml = "settings: { allow_plain_http: true }";
  for (const INITIAL_PASSWORD of ["123456", "Admin123", "qwertyuiop"]) {
    const starting = startClaviger({ listen: ["0.0.0.0:0"], yaml, env: { INITIAL_PASSWORD } });
    await expect(starting).rejects.toThrow(/INITIAL_PASSWORD is one that everybody tries first/);
    await using local = await startClaviger({ env: { INITIAL_PASSWORD } });
    expect((await logIn(local, { password: INITIAL_PASSWORD })).status).toBe(200);
  }
});

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { codeOf, firstPerson, freshPassword, logIn, type Person } from "./person.ts";

const FACTOR = "/api/v1/me/second-factor";
const confirm = (by: Person, code: string) =>
  by.call({ method: "POST", path: `${FACTOR}/confirm`, body: { code } });

/** A user whose second factor is on, a step later. */
async function withFactor(server: TestClaviger, clock: FakeClock) {
  const own = await firstPerson(server);
  const begun = await own.call({ method: "POST", path: FACTOR });
  const secret: string = Object(begun.json).secret;
  const confirmed = await confirm(own, codeOf(secret, clock.now()));
  expect(confirmed.status, confirmed.text).toBe(200);
  clock.advance(30_000);
  const recovery: string[] = Object(confirmed.json).recovery_codes;
  const signIn = (code?: string, password = own.password) => {
    const body = { username: "admin", password, ...(code === undefined ? {} : { code }) };
    return logIn(server, body);
  };
  return { own, secret, recovery, signIn, now: (steps = 0) => codeOf(secret, clock.now(), steps) };
}

test("[U7] a second factor is asked for once it was confirmed by a code, and is no substitute for the password", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const own = await firstPerson(server);
  const keyFile = join(server.dataDir, "secrets", "auth.key");
  expect(existsSync(keyFile)).toBe(false);
  const begun = await own.call({ method: "POST", path: FACTOR });
  const { secret, uri } = Object(begun.json);
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  expect(uri).toBe(`otpauth://totp/Claviger%3Aadmin?secret=${secret}&issuer=Claviger`);
  expect(statSync(keyFile).mode & 0o777).toBe(0o400);
  expect((await logIn(server, { password: own.password })).status).toBe(200);
  expect((await own.call({ path: "/api/v1/me" })).json).toMatchObject({ second_factor: false });
  const wrong = await confirm(own, codeOf(secret, clock.now(), 5));
  expect([wrong.status, wrong.json]).toEqual([403, expect.objectContaining({ code: "wrong_code" })]);
  expect((await confirm(own, codeOf(secret, clock.now()))).status).toBe(200);
  expect((await own.call({ path: "/api/v1/me" })).json).toMatchObject({ second_factor: true });
  const bare = await logIn(server, { password: own.password });
  expect([bare.status, bare.json, bare.headers["set-cookie"]]).toEqual([
    401,
    expect.objectContaining({ code: "second_factor_required" }),
    undefined,
  ]);
  clock.advance(30_000);
  const code = codeOf(secret, clock.now());
  const body = { username: "admin", password: freshPassword(), code };
  expect((await logIn(server, body)).json).toMatchObject({ code: "sign_in_refused" });
  expect((await logIn(server, { ...body, password: own.password })).status).toBe(200);
  expect((await own.call({ method: "POST", path: FACTOR })).status).toBe(409);
});

test("[U7] a code is good within a step of now, and once; also the one that confirmed", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { signIn, now } = await withFactor(server, clock);
  expect((await signIn(now(-1))).status).toBe(401);
  expect((await signIn(now(2))).status).toBe(401);
  const both = await Promise.all([signIn(now()), signIn(now())]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  expect((await signIn(now(1))).status).toBe(200);
  expect((await signIn(now())).status).toBe(401);
  clock.advance(60_000);
  expect((await signIn(now(-2))).status).toBe(401);
  expect((await signIn(now())).status).toBe(200);
  clock.advance(60_000);
  expect((await signIn(now(-1))).status).toBe(200);
});

test("[U7] a code of two minutes ago is none, though none was used since", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { signIn, now } = await withFactor(server, clock);
  clock.advance(5 * 60_000);
  for (const steps of [-4, -3, -2]) expect((await signIn(now(steps))).status, String(steps)).toBe(401);
  expect((await signIn(now(-1))).status).toBe(200);
});

test("[U7] a recovery code is its user's alone, and is none once his factor was taken off and begun with anew", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { own, signIn, recovery } = await withFactor(server, clock);
  const [first = "", second = ""] = recovery;
  const password = freshPassword();
  const maria = { username: "maria", password, permissions: [], must_change_password: false };
  const made = await server.control({ method: "POST", path: "/api/v1/users", body: maria });
  const path = `/api/v1/users/${String(Object(made.json).id)}/second-factor`;
  const begun = await server.control({ method: "POST", path });
  const body = { code: codeOf(String(Object(begun.json).secret), clock.now()) };
  expect((await server.control({ method: "POST", path: `${path}/confirm`, body })).status).toBe(200);
  expect((await logIn(server, { username: "maria", password, code: first })).status).toBe(401);
  expect((await signIn(first)).status).toBe(200);
  expect(await own.status({ method: "DELETE", path: FACTOR })).toBe(204);
  const again = await own.call({ method: "POST", path: FACTOR });
  expect((await confirm(own, codeOf(String(Object(again.json).secret), clock.now()))).status).toBe(200);
  expect((await signIn(second)).status).toBe(401);
});

test("[U7] each recovery code signs in once; they and the seed are in no file as they are", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { recovery, signIn, secret } = await withFactor(server, clock);
  expect(new Set(recovery).size).toBe(10);
  const [first = "", second = ""] = recovery;
  expect(first).toMatch(/^(\w{4}-){3}\w{4}$/);
  expect((await signIn(first)).status).toBe(200);
  expect((await signIn(first)).status).toBe(401);
  expect((await signIn(second.replaceAll("-", " "))).status).toBe(200);
  expect((await signIn(`${second.slice(0, -1)}_`)).status).toBe(401);
  await server.app.close();
  const files = ["data.sqlite", "data.sqlite-wal"]
    .map((name) => join(server.dataDir, "db", name))
    .filter((file) => existsSync(file));
  const bytes = Buffer.concat(files.map((file) => readFileSync(file)));
  expect(bytes.length).toBeGreaterThan(0);
  for (const text of [...recovery, secret, first.replaceAll("-", "")])
    expect(bytes.includes(text)).toBe(false);
});

test("[U7] [U4] wrong codes count as wrong passwords do, and a missing one does not", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { signIn, now } = await withFactor(server, clock);
  for (let tries = 0; tries < 12; tries++) expect((await signIn()).status).toBe(401);
  for (let tries = 0; tries < 10; tries++) expect((await signIn(now(9))).status).toBe(401);
  expect((await signIn(now())).status).toBe(429);
});

test("[U7] it is taken off with the password just given, or by who may take the user over; the control socket while locked too", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { own, signIn } = await withFactor(server, clock);
  clock.advance(16 * 60_000);
  const off = { method: "DELETE", path: FACTOR };
  expect((await own.call(off)).json).toMatchObject({ code: "reauthenticate" });
  expect((await own.call({ method: "POST", path: FACTOR })).json).toMatchObject({ code: "reauthenticate" });
  await own.call({ method: "POST", path: "/api/v1/me/reauthenticate", body: { password: own.password } });
  expect(await own.status(off)).toBe(204);
  expect((await signIn()).status).toBe(200);
  const begun = await own.call({ method: "POST", path: FACTOR });
  await confirm(own, codeOf(Object(begun.json).secret, clock.now()));
  expect((await signIn()).status).toBe(401);
  const { id } = Object(Object((await own.call({ path: "/api/v1/me" })).json).user);
  await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key: freshPassword() } });
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  const path = `/api/v1/users/${id}/second-factor`;
  expect((await server.control({ method: "DELETE", path })).status).toBe(204);
  expect((await signIn()).status).toBe(200);
});

test("[U7] under another auth.key, as in a restored store, the codes are wrong and a recovery code signs in", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { own, secret, recovery } = await withFactor(server, clock);
  await server.app.close();
  const keyFile = join(server.dataDir, "secrets", "auth.key");
  const other = freshPassword().replaceAll(" ", "").padEnd(43, "A");
  rmSync(keyFile);
  writeFileSync(keyFile, other, { mode: 0o400 });
  await using again = await startClaviger({ clock, dataDir: server.dataDir });
  const tryWith = (code: string) => logIn(again, { password: own.password, code });
  expect((await tryWith(codeOf(secret, clock.now()))).status).toBe(401);
  expect((await tryWith(recovery[0] ?? "")).status).toBe(200);
});

test("[U7] who may take a user over can begin with his second factor and confirm it, the control socket while locked too; nobody else", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({
    clock,
    yaml: JSON.stringify({
      resources: { clerk: { resource_type: "PermissionSet", allow: ["users.manage"] } },
    }),
  });
  const own = await firstPerson(server);
  const { id } = Object(Object((await own.call({ path: "/api/v1/me" })).json).user);
  const path = `/api/v1/users/${id}/second-factor`;
  const clerk = await server.issueKey("clerk", ["clerk"]);
  const headers = { authorization: `Bearer ${clerk.key}` };
  for (const each of [path, `${path}/confirm`]) {
    const body = each === path ? {} : { body: { code: "123456" } };
    const refused = await server.call({ method: "POST", path: each, headers, ...body });
    expect([refused.status, refused.json]).toEqual([
      403,
      expect.objectContaining({ code: "exceeds_own_rights" }),
    ]);
  }
  await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key: freshPassword() } });
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  const begun = await server.control({ method: "POST", path });
  const { secret } = Object(begun.json);
  expect((await logIn(server, { password: own.password })).status).toBe(200);
  const confirmBy = (code: string) =>
    server.control({ method: "POST", path: `${path}/confirm`, body: { code } });
  expect((await confirmBy(codeOf(secret, clock.now(), 5))).json).toMatchObject({ code: "wrong_code" });
  const confirmed = await confirmBy(codeOf(secret, clock.now()));
  expect(Object(confirmed.json).recovery_codes).toHaveLength(10);
  expect((await logIn(server, { password: own.password })).json).toMatchObject({
    code: "second_factor_required",
  });
  clock.advance(30_000);
  const code = codeOf(secret, clock.now());
  expect((await logIn(server, { password: own.password, code })).status).toBe(200);
  expect((await server.control({ method: "POST", path })).status).toBe(409);
  const { json } = await server.control({ path: "/api/v1/audit?limit=50" });
  expect(Object(json).data).toEqual(
    expect.arrayContaining(
      ["user.second_factor.begin", "user.second_factor.on"].map((action) =>
        expect.objectContaining({ action, actor: "local", target: "admin", outcome: "success" }),
      ),
    ),
  );
});

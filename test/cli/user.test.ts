import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { firstPerson, freshPassword, logIn, person, withCookie } from "../people/person.ts";
import { claviger } from "../start/process.ts";

vi.setConfig({ testTimeout: 120_000 });

test("[L2] [U4] [U2] users by command: the setup code, added, listed, changed, another password on a locked server, removed", async () => {
  await using server = await startClaviger({ env: { TRUSTED_PROXIES: "127.0.0.1" } });
  const said: string[] = [];
  const run = async (words: string[], input?: string) => {
    const where = { env: { DATA_DIR: server.dataDir } };
    const ended = await claviger(words, input === undefined ? where : { ...where, input });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  expect((await run(["user", "passwd", "admin"])).stderr).toContain("claviger setup-code");
  const code = await run(["setup-code"]);
  expect([code.status, code.stdout]).toEqual([
    EXIT.ok,
    expect.stringMatching(/^\w{20}\n\nSign in with it as admin, once/),
  ]);
  expect((await person(server, code.stdout.slice(0, 20))).cookie).not.toBe("");
  said.length = 0;
  const [first, second, third] = [freshPassword(), freshPassword(), freshPassword()];
  expect((await run(["user", "passwd", "admin"], `${first}\n`)).status).toBe(EXIT.ok);
  expect(await run(["setup-code"])).toMatchObject({ status: EXIT.data });
  expect((await logIn(server, { password: first })).status).toBe(200);
  expect(
    (await run(["user", "add", "maria", "--permissions", "viewer", "gateway"], `${second}\n`)).status,
  ).toBe(EXIT.ok);
  expect(await run(["user", "add", "maria"], `${second}\n`)).toMatchObject({ status: EXIT.data });
  expect(await run(["user", "add", "peter"], "short\n")).toMatchObject({
    status: EXIT.data,
    stderr: expect.stringContaining("at least 12 characters"),
  });
  const list = JSON.parse((await run(["user", "list", "--json"])).stdout);
  expect(list).toEqual([
    expect.objectContaining({ username: "admin", permissions: "superadmin", must_change_password: false }),
    expect.objectContaining({ username: "maria", permissions: "viewer gateway", must_change_password: true }),
  ]);
  expect(list).toMatchObject([
    { last_signed_in_at: expect.stringMatching(/^\d{4}-.*Z$/), second_factor: false },
    { last_signed_in_at: null, second_factor: false },
  ]);
  const names = async (...flags: string[]) =>
    JSON.parse((await run(["user", "list", "--json", ...flags])).stdout)
      .map(Object)
      .map(({ username = "" }) => username);
  expect(await names("--sort", "-username")).toEqual(["maria", "admin"]);
  expect(await names("--search", "MARI")).toEqual(["maria"]);
  expect(await names("--sort", "last_signed_in_at", "--limit", "1")).toEqual(["admin"]);
  expect((await run(["user", "list", "--limit", "1"])).stderr).toContain("There are more than these 1");
  expect(await run(["user", "list", "--sort", "age"])).toMatchObject({
    status: EXIT.usage,
    stderr: expect.stringContaining("last_signed_in_at"),
  });
  expect((await run(["user", "permissions", "maria", "operator"])).stdout).toBe("maria has operator now\n");
  expect(await run(["user", "permissions", "admin", "viewer"])).toMatchObject({ status: EXIT.data });
  const away = { "x-forwarded-for": "192.0.2.1" };
  for (let tries = 0; tries < 10; tries++) await logIn(server, { password: freshPassword() }, away);
  await run(["key", "init"], `${freshPassword()}\n`);
  await run(["key", "lock"]);
  expect((await logIn(server, { password: first }, away)).status).toBe(429);
  expect((await run(["user", "passwd", "admin"], `${third}\n`)).status).toBe(EXIT.ok);
  expect((await logIn(server, { password: third }, away)).status).toBe(200);
  expect((await run(["user", "remove", "maria"])).status).toBe(EXIT.tryAgain);
  for (const password of [first, second, third]) expect(said.join("")).not.toContain(password);
});

test("[U4] where no server runs, another password is set in its store, and lifts the lockout; the audit has it", async () => {
  await using server = await startClaviger({ env: { TRUSTED_PROXIES: "127.0.0.1" } });
  const { dataDir } = server;
  const own = await firstPerson(server);
  const away = { "x-forwarded-for": "192.0.2.1" };
  for (let tries = 0; tries < 10; tries++) await logIn(server, { password: freshPassword() }, away);
  const lastSignIn = async (of: typeof server) =>
    Object(Object((await of.control({ path: "/api/v1/users" })).json).data[0]).last_signed_in_at;
  const before = await lastSignIn(server);
  expect(before).toMatch(/^\d{4}-.*Z$/);
  await server.app.close();
  const run = (words: string[], input: string) => claviger(words, { env: { DATA_DIR: dataDir }, input });
  const next = freshPassword();
  expect(await run(["user", "passwd", "nobody"], `${next}\n`)).toMatchObject({ status: EXIT.data });
  expect(await run(["user", "passwd", "admin"], "short\n")).toMatchObject({ status: EXIT.data });
  const done = await run(["user", "passwd", "Admin"], `${next}\n`);
  expect([done.status, done.stderr, done.stdout]).toEqual([
    EXIT.ok,
    "",
    "password of Admin changed; all sessions have ended\n",
  ]);
  await using again = await startClaviger({ dataDir, env: { TRUSTED_PROXIES: "127.0.0.1" } });
  expect(await lastSignIn(again)).toBe(before);
  expect((await again.call({ path: "/api/v1/me", headers: withCookie(own.cookie) })).status).toBe(401);
  expect((await logIn(again, { password: next }, away)).status).toBe(200);
  const audit = await again.control({ path: "/api/v1/audit?action=user.password" });
  expect(Object(audit.json).data).toContainEqual(
    expect.objectContaining({ actor: "local", target: "admin" }),
  );
  const verified = await run(["audit", "verify"], "");
  expect([verified.status, verified.stderr]).toEqual([EXIT.ok, ""]);
});

import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { firstPerson, freshPassword, logIn, withCookie } from "./person.ts";

const APP = "https://app.example";
const FOREIGN: readonly Record<string, string>[] = [
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "http://127.0.0.1:1" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "" },
];
const out = { method: "POST", path: "/logout" };

test("[A9] [A10] a page of another origin neither changes nor reads anything by the cookie, nor signs anybody in or out", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const body = { name: "planted", permissions: [] };
  for (const headers of [
    ...FOREIGN,
    { origin: server.url, "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
  ]) {
    for (const call of [
      { method: "POST", path: "/api/v1/keys", body },
      {
        method: "PUT",
        path: "/api/v1/me/password",
        body: { current_password: own.password, new_password: freshPassword() },
      },
      { path: "/api/v1/me" },
      { path: "/sse" },
      out,
    ]) {
      const answer = await own.call({ ...call, headers });
      expect([answer.status, answer.json], `${call.path} ${JSON.stringify(headers)}`).toEqual([
        403,
        expect.objectContaining({ code: "cross_origin" }),
      ]);
    }
    expect((await logIn(server, { password: own.password }, headers)).status).toBe(403);
  }
  expect(JSON.stringify((await own.call({ path: "/api/v1/keys" })).json)).not.toContain("planted");
});

test("[A9] the server's own pages, and programs that name no origin, change things by the cookie", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const ways = [
    {},
    { origin: server.url },
    { origin: server.url, "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
  ];
  for (const [at, headers] of ways.entries()) {
    const body = { name: `made-${at}`, permissions: [] };
    expect(await own.status({ method: "POST", path: "/api/v1/keys", body, headers })).toBe(201);
    expect((await logIn(server, { password: own.password }, headers)).status).toBe(200);
  }
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(await own.status({ method: "POST", path: "/api/v1/keys", body: "name=a", headers: form })).toBe(415);
  expect(
    (
      await server.call({
        method: "POST",
        path: "/login/password",
        body: `password=${own.password}`,
        headers: form,
      })
    ).status,
  ).toBe(415);
  expect(await own.status(out)).toBe(204);
});

test("[A9] [A10] an origin that may use the gateway reads by the cookie at most, and signs nobody in", async () => {
  await using server = await startClaviger({ yaml: `settings:\n  allowed_origins: ["${APP}"]\n` });
  const own = await firstPerson(server);
  const headers = { origin: APP };
  expect(await own.status({ path: "/api/v1/me", headers })).toBe(200);
  expect(await own.status({ ...out, headers })).toBe(403);
  expect((await logIn(server, { password: own.password }, headers)).status).toBe(403);
  expect(await own.status(out)).toBe(204);
});

test("[A9] behind a proxy that ends TLS the server's pages are https ones", async () => {
  await using server = await startClaviger({
    env: { AUTH_COOKIE_SECURE: "true", TRUSTED_PROXIES: "127.0.0.1" },
    yaml: "settings: { allowed_hosts: [vault.example] }",
  });
  const own = await firstPerson(server);
  const by = (origin: string) => ({ host: "vault.example", origin, "x-forwarded-for": "192.0.2.1" });
  expect((await logIn(server, { password: own.password }, by("http://vault.example"))).status).toBe(403);
  expect((await logIn(server, { password: own.password }, by("https://vault.example"))).status).toBe(200);
  // Past the proxy, from this machine.
  expect((await logIn(server, { password: own.password }, { origin: server.url })).status).toBe(200);
});

test("[A11] [A2] a key beside the cookie is what counts, and of two cookies that differ none does", async () => {
  await using server = await startClaviger();
  const own = await firstPerson(server);
  const authorization = `Bearer ${(await server.issueKey("bare", [])).key}`;
  expect(await own.status({ path: "/api/v1/keys", headers: { authorization } })).toBe(403);
  expect(await own.status({ path: "/api/v1/keys", headers: { authorization: "Bearer nobody's" } })).toBe(401);
  const cookie = `claviger_session=${own.cookie}`;
  for (const [sent, status] of [
    [`other=1; ${cookie}; more=2`, 200],
    [`${cookie}; ${cookie}`, 200],
    [`${cookie}; claviger_session=planted`, 400],
    [`claviger_session=; ${cookie}`, 400],
    [`xclaviger_session=${own.cookie}`, 401],
    [`claviger_session="${own.cookie}"`, 401],
    ["claviger_session=", 401],
  ] as const)
    expect(
      (await server.call({ path: "/api/v1/keys", headers: { cookie: sent } })).status,
      sent.slice(0, 30),
    ).toBe(status);
  const inUrl = await server.call({ path: "/api/v1/keys?token=x", headers: withCookie(own.cookie) });
  expect([inUrl.status, inUrl.json]).toEqual([400, expect.objectContaining({ code: "credential_in_url" })]);
});

test("[A11] [I4] a cookie is nothing to a listener that lets no users in, and there nobody signs in", async () => {
  await using server = await startClaviger({
    listen: [],
    yaml: JSON.stringify({
      resources: {
        people: { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["users"] },
        programs: { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["keys"] },
      },
    }),
  });
  const own = await firstPerson(server);
  const [, other = ""] = server.app.urls;
  const ask = async (path: string, init: RequestInit = {}) =>
    (await fetch(`${other}${path}`, { ...init, headers: { ...init.headers, connection: "close" } })).status;
  expect(await own.status({ path: "/api/v1/keys" })).toBe(200);
  expect(await ask("/api/v1/keys", { headers: withCookie(own.cookie) })).toBe(401);
  const body = JSON.stringify({ password: own.password });
  expect(
    await ask("/login/password", { method: "POST", body, headers: { "content-type": "application/json" } }),
  ).toBe(401);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { type BuiltDashboard, FILE_ROUTES, PAGES, SCRIPT, writeDashboard } from "#test/dashboard/fixture.ts";
import { openRaw, rawRequest, sendRaw, statusOf } from "./raw.ts";

const OPEN_ROUTES = ["/health", "/healthz", "/readyz", "/api/v1/info", "/api/v1/key/status"];
const KEY_ROUTES = ["initialize", "unlock", "rotate", "reseal", "details", "recovery", "lock"].map(
  (name) => `/api/v1/key/${name}`,
);
const SIGN_IN = "/login/password";
/** The dashboard: files, and pages for browsers. */
/** What is one's own, for whoever signed in. */
const OWN_ROUTES = [
  "/logout",
  "/api/v1/me",
  "/api/v1/me/password",
  "/api/v1/me/reauthenticate",
  "/api/v1/me/sessions",
  "/api/v1/me/sessions/:id",
  "/api/v1/me/second-factor",
  "/api/v1/me/second-factor/confirm",
];
const UNKNOWN_PATHS = [
  "/api",
  "/api/",
  "/api/v1/nothing",
  "/v1",
  "/v1/nothing",
  "/v1beta/models",
  "/v1beta",
  "/x",
  "/x/search",
];
const LOCKED_PATHS = [
  ...UNKNOWN_PATHS,
  "/",
  "/nothing",
  "/login/passwords",
  "/sse",
  "/v1/models",
  "/api/v1/keys",
];
const STRANGE_SPELLINGS = [
  "/api/v1/info/",
  "//api/v1/info",
  "/api//v1/info",
  "/api/v1/./info",
  "/api/v1/x/../info",
  "/api/v1%2Finfo",
  "/api/v1/%69nfo",
  "/%61pi/v1/info",
  "/API/v1/info",
  "/api/v1/INFO",
  "/api/v1/info;x",
  "/api/v1/info%00",
  "/api/v1/info%3f",
  "/api/v1/info%",
  "/api/v1/info%zz",
  "/api/v1/information",
  "/api\\v1\\info",
  `/api/v1/info/${"a".repeat(200)}`,
  "/health/",
  "//health",
  "/./health",
  "/%68ealth",
  "/HEALTH",
  "/healthy",
  "/health;a",
  "/health%2F",
  "/health#x",
  "/api/v1/key/status/",
  "/api/v1/key//status",
];

/** Open where TLS is spoken and `auth` lists cluster; here it is as if they did not exist. */
const JOIN_ROUTES = ["/cluster/join/start", "/cluster/join/finish"];
const openStatus = (path: string) => {
  if (path === SIGN_IN) return 400;
  return JOIN_ROUTES.includes(path) ? 404 : 200;
};
/** So are those that nodes alone may ask. */
const closedStatus = (family: string | undefined) => (family === "node" ? 404 : 401);

/** A route's template with something in the place of each name. */
const filled = (path: string) => path.replace("/assets/:file", SCRIPT.path).replace(/:\w+|\{\w+\}/g, "thing");

/** The route that looks for members on the network is called too, and is to ask nobody. */
const YAML = "settings: { mdns: off }\n";
let built: BuiltDashboard;
let claviger: TestClaviger;
let adminKey: string;
beforeAll(async () => {
  built = writeDashboard();
  claviger = await startClaviger({
    env: { REQUIRE_API_KEY: "true" },
    dashboardDir: built.directory,
    yaml: YAML,
  });
  adminKey = (await claviger.issueKey("admin", ["superadmin"])).key;
});
afterAll(async () => {
  await claviger[Symbol.asyncDispose]();
  built[Symbol.dispose]();
});

describe("every route", () => {
  test("[A1] declares its action and whether it is open while locked", () => {
    const routes = claviger.app.routes();
    expect(routes.length).toBeGreaterThan(10);
    for (const { path, contract } of routes) {
      expect(contract?.action, path).toMatch(/^(open|self|control|[a-z]+\.[a-z]+)$/);
      expect([true, false, "local", "navigation"], path).toContain(contract?.openWhileLocked);
    }
  });

  test("[A1] [A5] answers 401 to whoever presents nothing, unless it is one of the open ones", async () => {
    for (const { method, path, contract } of claviger.app.routes()) {
      const answer = await claviger.call({ method, path: filled(path) });
      const isOpen = contract?.action === "open";
      const expected = isOpen ? openStatus(path) : closedStatus(contract?.family);
      expect(answer.status, `${method} ${path}`).toBe(expected);
    }
  });

  test("[A4] the open ones are exactly the documented ones", () => {
    const open = claviger.app.routes().filter(({ contract }) => contract?.action === "open");
    const documented = [...OPEN_ROUTES, ...JOIN_ROUTES, SIGN_IN, ...FILE_ROUTES, ...PAGES];
    expect(new Set(open.map(({ path }) => path))).toEqual(new Set(documented));
    const read = open.filter(({ path }) => ![...JOIN_ROUTES, SIGN_IN].includes(path));
    expect(new Set(read.map(({ method }) => method))).toEqual(new Set(["GET", "HEAD"]));
  });
});

describe("open routes", () => {
  test("[A4] /health says only that it is well, and a HEAD says no more", async () => {
    for (const path of ["/health", "/healthz", "/readyz"])
      expect(await claviger.call({ path })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await claviger.call({ method: "HEAD", path: "/health" })).toMatchObject({ status: 200, text: "" });
  });

  test("[S6] the key's status before initialize is exactly this", async () => {
    expect(await claviger.call({ path: "/api/v1/key/status" })).toMatchObject({
      status: 200,
      text: '{"initialized":false,"unlocked":true}',
    });
  });

  test("[H6] the server's info has these fields and no others", async () => {
    const { status, json } = await claviger.call({ path: "/api/v1/info" });
    expect(status).toBe(200);
    expect(json).toEqual({
      name: "claviger",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node_id: expect.stringMatching(/^node_[0-9A-Za-z]{16}$/),
      initialized: false,
      unlocked: true,
      auth: "enabled",
    });
  });

  test("[A9] changing methods on an open path change nothing and are no route", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
      for (const path of ["/health", "/api/v1/info"])
        expect((await claviger.call({ method, path })).status, `${method} ${path}`).toBe(
          path === "/health" ? 404 : 401,
        );
  });
});

describe("unknown paths", () => {
  test.each(UNKNOWN_PATHS)("[A3] %s is 401 for a stranger and 404 for a principal", async (path) => {
    const authorization = `Bearer ${adminKey}`;
    for (const method of ["GET", "HEAD", "POST", "OPTIONS", "TRACE"]) {
      expect((await claviger.call({ method, path })).status, method).toBe(401);
      expect((await claviger.call({ method, path, headers: { authorization } })).status, method).toBe(404);
    }
  });

  test.each(STRANGE_SPELLINGS)("[S4] %s is an unknown path, not the route it resembles", async (path) => {
    const ask = (...lines: string[]) => sendRaw(claviger.url, rawRequest(`GET ${path} HTTP/1.1`, lines));
    const stranger = await ask();
    expect(statusOf(stranger)).toBe(/^\/*(\.\/)?(h|%68)/i.test(path) ? 404 : 401);
    expect(stranger).toMatch(/\r\nx-request-id: /);
    expect(statusOf(await ask(`Authorization: Bearer ${adminKey}`))).toBe(404);
  });

  test("[A3] odd spellings of protected paths open nothing", async () => {
    for (const path of [
      "//v1/models",
      "/V1/models",
      "/%76%31/models",
      "/v1%2Fmodels",
      "/./v1/models",
      "/api/v1//keys",
    ])
      expect(statusOf(await sendRaw(claviger.url, rawRequest(`GET ${path} HTTP/1.1`))), path).toBe(401);
  });
});

describe("a locked server", () => {
  let locked: TestClaviger;
  let key: string;
  beforeAll(async () => {
    locked = await startClaviger();
    key = (await locked.issueKey("admin", ["superadmin"])).key;
    void locked.app.seal.close();
  });
  afterAll(() => locked[Symbol.asyncDispose]());

  const expectLocked = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const answer = await locked.call({ method, path, headers });
    expect(answer.status, `${method} ${path}`).toBe(503);
    expect(answer.headers).toMatchObject({
      "x-claviger-locked": "true",
      "x-should-retry": "false",
      "retry-after": expect.stringMatching(/^\d+$/),
      "x-request-id": expect.any(String),
    });
    return answer;
  };

  test("[A1] [S4] refuses every route that is not declared open, whoever asks", async () => {
    for (const { method, path, contract } of locked.app.routes()) {
      if (contract?.openWhileLocked === true) continue;
      await expectLocked(method, filled(path));
      await expectLocked(method, filled(path), { authorization: `Bearer ${key}` });
    }
  });

  test("[S4] [A4] serves what is declared open: status, info, health", async () => {
    const routes = locked.app.routes().filter(({ contract }) => contract?.openWhileLocked === true);
    // Which open to nothing but a node's credential.
    const open = routes.filter(({ contract }) => contract?.family !== "node");
    expect(new Set(open.map(({ path }) => path))).toEqual(
      new Set([...OPEN_ROUTES, "/metrics", ...KEY_ROUTES, SIGN_IN, ...OWN_ROUTES]),
    );
    expect(await locked.call({ path: "/health" })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await locked.call({ path: "/healthz" })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await locked.call({ path: "/readyz" })).toMatchObject({
      status: 503,
      text: '{"status":"locked"}',
    });
    expect(await locked.call({ path: "/api/v1/info" })).toMatchObject({
      status: 200,
      json: { unlocked: false },
    });
  });

  test("[S6] the key's status needs no credential while locked", async () => {
    expect(await locked.call({ path: "/api/v1/key/status" })).toMatchObject({
      status: 200,
      text: '{"initialized":false,"unlocked":false}',
    });
  });

  test.each(LOCKED_PATHS)("[S4] unknown and closed paths are locked: %s", async (path) => {
    const { json } = await expectLocked("GET", path);
    const code = "server_locked";
    expect(json).toMatchObject(/^\/(v1|v1beta|x)(\/|$)/.test(path) ? { error: { code } } : { code });
  });

  test.each(STRANGE_SPELLINGS)("[S4] %s is locked, though what it resembles is open", async (path) => {
    const text = await sendRaw(locked.url, rawRequest(`GET ${path} HTTP/1.1`));
    expect(statusOf(text)).toBe(503);
    expect(text).toMatch(/\r\nx-claviger-locked: true\r\n/);
  });

  test("[S4] a request that was let in before the lock does nothing after it", async () => {
    await using server = await startClaviger();
    const { key: admin } = await server.issueKey("admin", ["superadmin"]);
    const body = JSON.stringify({ name: "late", permissions: [] });
    const head = rawRequest("POST /api/v1/keys HTTP/1.1", [
      `Authorization: Bearer ${admin}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      "Expect: 100-continue",
    ]);
    await using connection = openRaw(server.url);
    connection.socket.write(head);
    await connection.until(/100 Continue/);
    void server.app.seal.close();
    connection.socket.write(body);
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 503 /);
  });
});

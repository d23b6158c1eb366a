import { afterAll, beforeAll, expect, test } from "vitest";
import { rawRequest, sendRaw, statusOf } from "#test/gates/raw.ts";
import { addListeners, entryOf, listenerSpec } from "#test/listeners/bench.ts";
import { type Answer, send, startClaviger, type TestClaviger } from "../claviger.ts";
import {
  type BuiltDashboard,
  FILE_ROUTES,
  MARK,
  PAGES,
  SCRIPT,
  writeDashboard,
} from "../dashboard/fixture.ts";
import { adminOf, freshKey, keyApi } from "./bench.ts";

/** What other nodes ask, who prove themselves by their keys: they see that it is locked, and may lock it. */
const FOR_NODES = ["budget", "credentials", "heartbeat", "leave", "lock"].map(
  (name) => `POST /cluster/${name}`,
);
/** What works while locked, and nothing else; what is on the list of the contract and is not built is not here. */
const OPEN = [
  "GET /health",
  "GET /healthz",
  "GET /readyz",
  "GET /api/v1/info",
  "GET /metrics",
  "GET /api/v1/key/status",
  "GET /api/v1/key/reseal",
  "GET /api/v1/key/details",
  "POST /api/v1/key/initialize",
  "POST /api/v1/key/unlock",
  "POST /api/v1/key/rotate",
  "POST /api/v1/key/lock",
  "DELETE /api/v1/key/recovery",
  "POST /login/password",
  "POST /logout",
  "GET /api/v1/me",
  "PUT /api/v1/me/password",
  "POST /api/v1/me/reauthenticate",
  "GET /api/v1/me/sessions",
  "DELETE /api/v1/me/sessions",
  "DELETE /api/v1/me/sessions/:id",
  "POST /api/v1/me/second-factor",
  "POST /api/v1/me/second-factor/confirm",
  "DELETE /api/v1/me/second-factor",
];
/** Of the dashboard, the pages to browsers alone. */
const FILES = FILE_ROUTES.map((path) => `GET ${path}`);
const PAGE_ROUTES = PAGES.map((path) => `GET ${path}`);
const HTML = { accept: "text/html" };
/** What the control socket opens besides. */
const LOCAL = [
  "GET /api/v1/status",
  "GET /api/v1/audit",
  "GET /api/v1/users",
  "PUT /api/v1/users/:id/password",
  "POST /api/v1/users/:id/second-factor",
  "POST /api/v1/users/:id/second-factor/confirm",
  "DELETE /api/v1/users/:id/second-factor",
  "POST /api/v1/setup-code",
];

let built: BuiltDashboard;
let claviger: TestClaviger;
let admin: Record<string, string>;
/** By name, where to ask; the server has two threads, so that both take connections. */
const places = new Map<string, Parameters<typeof send>[0]>();
const urls: string[] = [];
beforeAll(async () => {
  built = writeDashboard();
  claviger = await startClaviger({ workers: 2, dashboardDir: built.directory });
  admin = await adminOf(claviger);
  const anonymous = { permissionSet: "gateway", from: "anywhere" } as const;
  const added = await addListeners(
    claviger,
    listenerSpec("second"),
    listenerSpec("gateway", { serves: new Set(["gateway"]), entry: entryOf({ anonymous }) }),
  );
  for (const [name, url] of [
    ["first", claviger.url],
    ["second", added[0]],
    ["gateway", added[1]],
  ] as const) {
    const { hostname: host, port } = new URL(url ?? "");
    places.set(name, { host, port });
    urls.push(url ?? "");
  }
  places.set("control", { socketPath: claviger.app.controlSocket });
  const api = keyApi(claviger, admin);
  expect((await api.initialize(freshKey())).status).toBe(200);
  expect((await api.lock()).status).toBe(200);
});
afterAll(async () => {
  await claviger[Symbol.asyncDispose]();
  built[Symbol.dispose]();
});

const filled = (path: string) =>
  path
    .replace("/assets/:file", SCRIPT.path)
    .replace(/:\w+|\{\w+\}/g, "thing")
    .replace("*", "rest");
const isLocked = ({ status, headers }: Answer) => status === 503 && headers["x-claviger-locked"] === "true";
function expectLocked(answer: Answer, what: string): void {
  expect([isLocked(answer), answer.headers["retry-after"]], what).toEqual([true, "5"]);
  expect(answer.headers["x-should-retry"], what).toBe("false");
}

/** `METHOD /path` of every route there is, with what it declares. */
const routes = () =>
  claviger.app
    .routes()
    .map(({ method, path, contract }) => ({ method, path, contract, name: `${contract?.method} ${path}` }));

test("[S4] [N10] what is declared open while locked is this list, and more for the control socket alone", () => {
  const declared = (open: true | "local" | "navigation") =>
    new Set(
      routes()
        .filter(({ contract }) => contract?.openWhileLocked === open)
        .map(({ name }) => name),
    );
  expect(declared(true)).toEqual(new Set([...OPEN, ...FOR_NODES, ...FILES]));
  expect(declared("navigation")).toEqual(new Set(PAGE_ROUTES));
  expect([...declared("local")]).toEqual(expect.arrayContaining(LOCAL));
});

test.each([
  "first",
  "second",
  "gateway",
  "control",
])("[S4] [N10] every route that is not on the list is 503 and locked, for everyone: listener %s", async (name) => {
  const place = places.get(name);
  if (place === undefined) throw new Error(`there is no listener ${name}`);
  const served = (path: string) => name !== "gateway" || /^\/(health|readyz|v1|x\/)/.test(path);
  let asked = 0;
  for (const route of routes()) {
    const { openWhileLocked, family } = route.contract ?? {};
    // Without TLS there are no routes of nodes.
    const isHere = openWhileLocked === true && family !== "node";
    const isOpen = isHere || (openWhileLocked === "local" && name === "control");
    for (const headers of name === "control" ? [{}] : [{}, admin]) {
      const answer = await send(place, { method: route.method, path: filled(route.path), headers });
      const what = `${route.method} ${route.path} on ${name}`;
      asked += 1;
      if (isOpen && served(route.path)) expect(isLocked(answer), what).toBe(false);
      else expectLocked(answer, what);
    }
  }
  expect(asked).toBeGreaterThan(40);
});

test("[S4] [A4] the dashboard's files and its pages come to a browser, without a credential; to nothing else a page does", async () => {
  for (const name of ["first", "second", "control"]) {
    const place = places.get(name);
    if (place === undefined) throw new Error(`there is no listener ${name}`);
    for (const method of ["GET", "HEAD"])
      for (const page of PAGES) {
        const path = filled(page);
        const answer = await send(place, { method, path, headers: HTML });
        expect([name, path, answer.status]).toEqual([name, path, 200]);
        for (const accept of ["*/*", "application/json", "text/html-not", "text/plain, text/*"])
          expectLocked(await send(place, { method, path, headers: { accept } }), `${path} ${accept}`);
      }
    for (const { path, text } of [MARK, SCRIPT]) expect((await send(place, { path })).text).toBe(text);
  }
  const gateway = places.get("gateway");
  if (gateway === undefined) throw new Error("there is no listener gateway");
  for (const path of ["/", "/keys", MARK.path])
    expectLocked(await send(gateway, { path, headers: HTML }), path);
});

test("[S4] other methods on what is open are unknown, and locked", async () => {
  for (const method of ["OPTIONS", "PUT", "PATCH", "TRACE", "PROPFIND"])
    for (const path of ["/health", "/api/v1/info", "/api/v1/key/unlock", "/metrics"])
      expectLocked(await claviger.call({ method, path, headers: admin }), `${method} ${path}`);
  for (const path of ["unlock", "initialize", "rotate", "lock", "recovery"])
    expectLocked(await claviger.call({ path: `/api/v1/key/${path}`, headers: admin }), path);
  expectLocked(await claviger.call({ method: "POST", path: "/api/v1/key/status", headers: admin }), "status");
  expect((await claviger.call({ method: "HEAD", path: "/api/v1/key/status" })).status).toBe(200);
});

test("[S4] what only resembles an open path is unknown, and locked: slashes, dots, escapes, case, on each listener", async () => {
  const open = [...OPEN, "GET /keys"].map((each) => each.split(" ")[1] ?? "");
  const paths = [...open, MARK.path, SCRIPT.path];
  const strange = paths.flatMap((path) => [
    `${path}/`,
    `/${path}`,
    `/.${path}`,
    `/x/..${path}`,
    `${path}/.`,
    `${path}%2F`,
    path.replace(/(?<=\w)\/([\w.-]+)$/, "%2F$1").replace(/^(\/[\w.-]+)$/, "/%2F$1"),
    path.replace(/[a-z]/, (letter) => letter.toUpperCase()),
    path.replace(/(\w)$/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    `${path}x`,
    `${path};a`,
  ]);
  strange.push("/providers/", "/Providers/thing", "/providers//thing", "/providers/..", "/providers/a%2Fb");
  for (const [at, path] of strange.entries()) {
    const url = urls[at % urls.length] ?? "";
    const lines = [`Authorization: ${admin.authorization}`, "Accept: text/html"];
    const text = await sendRaw(url, rawRequest(`GET ${path} HTTP/1.1`, lines));
    expect([path, statusOf(text)]).toEqual([path, 503]);
    expect(text).toMatch(/\r\nx-claviger-locked: true\r\n/i);
  }
});

test("[S4] unknown paths are locked, in the caller's dialect where there is one", async () => {
  const ask = (path: string, headers: Record<string, string> = {}) => claviger.call({ path, headers });
  expectLocked(await ask("/nothing", HTML), "a page that does not exist");
  for (const path of ["/", "/nothing", "/api", "/api/v1", "/api/v1/nothing", "/sse", "/login/password"]) {
    const answer = await ask(path);
    expectLocked(answer, path);
    expect(answer.json).toMatchObject({ code: "server_locked", status: 503 });
  }
  for (const path of ["/v1", "/v1/nothing", "/v1beta/models", "/x/thing/any"]) {
    const answer = await ask(path);
    expectLocked(answer, path);
    expect(answer.json).toMatchObject({ error: { code: "server_locked" } });
  }
  const claude = await ask("/v1/messages", { "anthropic-version": "2023-06-01" });
  expectLocked(claude, "/v1/messages");
  expect(claude.json).toMatchObject({ type: "error", error: { details: { error_code: "server_locked" } } });
});

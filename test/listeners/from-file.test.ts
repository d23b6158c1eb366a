import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newToken, writeMember } from "#test/cluster/cluster-files.ts";
import { SCRIPT, writeDashboard } from "#test/dashboard/fixture.ts";
import { startApi } from "#test/gateway/http-api-bench.ts";
import { firstPerson, withCookie } from "#test/people/person.ts";
import { newPair } from "#test/reload/file.ts";
import { ask, bearer, open } from "./bench.ts";

const listener = (auth: readonly string[] | null, own: object = {}) => ({
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth,
  ...own,
});
const PAGE = "https://app.example";
const pair = newPair();
const TILL = { resource_type: "Identity", credential: { api_key: pair.hash }, permissions: "viewer" };

/** A path of each thing that a listener may serve. */
const PLACES = {
  gateway: ["/v1/models", "/x/shop/list"],
  api: ["/api/v1/info", "/api/v1/keys", "/metrics"],
  dashboard: ["/", "/keys", SCRIPT.path],
  events: ["/sse"],
} as const;
const SERVICES = ["gateway", "api", "dashboard", "events"] as const;

const stack = new AsyncDisposableStack();
let claviger: TestClaviger;
let key: string;
beforeAll(async () => {
  const built = stack.use(writeDashboard());
  const api = stack.use(await startApi());
  const resources = {
    reader: { resource_type: "PermissionSet", allow: ["*.read"] },
    till: TILL,
    people: listener(["users"]),
    programs: listener(["keys"]),
    members: listener(["cluster"]),
    tills: listener(["till"]),
    anyone: listener(["anonymous"], { anonymous_permissions: "gateway" }),
    several: listener(["users", "till"]),
    named: listener(["keys"], { allowed_hosts: ["box.example"], allowed_origins: [PAGE] }),
    ...Object.fromEntries(
      SERVICES.map((service) => [`only-${service}`, listener(["keys"], { serve: [service] })]),
    ),
    "off-bare": listener(null),
    "off-written": listener(null, { serve: ["api", "dashboard"] }),
  };
  const yaml = JSON.stringify({ resources });
  claviger = stack.use(await startClaviger({ listen: [], yaml, dashboardDir: built.directory }));
  ({ key } = await claviger.issueKey("app", ["superadmin"]));
  await claviger.addProvider("shop", api.baseUrl, undefined, "http");
});
afterAll(() => stack.disposeAsync());

async function urlOf(name: string): Promise<string> {
  const { json } = await claviger.control({ path: "/api/v1/listeners" });
  const row = Object(json).data.find((each: { name: string }) => each.name === name);
  return String(row.urls[0]);
}

/** The status alone: a stream of events has no end. */
async function statusAt(name: string, path: string, headers: Record<string, string> = {}, method = "GET") {
  const answer = await open(await urlOf(name), { method, path, headers });
  answer.destroy();
  return answer.statusCode;
}

test("[I4] each listener of the file lets in those whom its auth names, users, keys, members, an identity or anyone, and refuses all others as unknown", async () => {
  const person = await firstPerson(claviger);
  const token = newToken();
  writeMember(claviger.dataDir, token);
  await expect.poll(() => statusAt("members", "/v1/models", bearer(token)), { timeout: 20_000 }).toBe(200);
  const callers = {
    users: withCookie(person.cookie),
    keys: bearer(key),
    cluster: bearer(token),
    till: bearer(pair.key),
  };
  const letIn = async (name: string, path: string) => {
    const names = Object.entries(callers);
    const statuses = await Promise.all(names.map(([, headers]) => statusAt(name, path, headers)));
    expect(
      statuses.filter((status) => ![200, 401].includes(status ?? 0)),
      name,
    ).toEqual([]);
    return names.flatMap(([caller], index) => (statuses[index] === 200 ? [caller] : []));
  };
  for (const [name, wanted] of [
    ["people", ["users"]],
    ["programs", ["keys"]],
    ["members", ["cluster"]],
    ["tills", ["till"]],
    ["anyone", []],
    ["several", ["users", "till"]],
  ] as const)
    expect([name, await letIn(name, "/api/nodes")]).toEqual([name, wanted]);
  for (const name of ["people", "programs", "members", "tills", "several", "anyone"])
    expect([name, await statusAt(name, "/v1/models")]).toEqual([name, name === "anyone" ? 200 : 401]);
});

test("[I4] what serve names is served, gateway, api, dashboard or events, all of it where nothing is said, and the rest is 404", async () => {
  for (const name of ["programs", ...SERVICES.map((service) => `only-${service}`)])
    for (const service of SERVICES) {
      const status = ["programs", `only-${service}`].includes(name) ? 200 : 404;
      for (const path of PLACES[service])
        expect([name, path, await statusAt(name, path, bearer(key))]).toEqual([name, path, status]);
    }
});

test("[I5] where authentication is off the dashboard and the API are served only when that is written", async () => {
  const all = SERVICES.flatMap((service) => PLACES[service]);
  for (const [name, served] of [
    ["off-bare", [...PLACES.gateway, ...PLACES.events]],
    ["off-written", [...PLACES.api, ...PLACES.dashboard]],
  ] as const)
    for (const path of all) {
      const isServed = served.some((each) => each === path);
      expect([name, path, await statusAt(name, path, bearer(key))]).toEqual([
        name,
        path,
        isServed ? 200 : 404,
      ]);
    }
  // Whoever comes without a credential has the set gateway there, and no more by the API than by the gateway.
  expect(await statusAt("off-bare", "/v1/models")).toBe(200);
  expect(await statusAt("off-bare", "/sse")).toBe(403);
  for (const path of ["/api/v1/keys", "/api/v1/users", "/api/v1/audit", "/metrics"])
    expect([path, await statusAt("off-written", path)]).toEqual([path, 403]);
});

test("[I5] a start without authentication is warned of for each listener, counted, and shown by the listener itself", async () => {
  for (const name of ["off-bare", "off-written"])
    expect(claviger.logged()).toMatch(new RegExp(`"listener":"${name}".*authentication is off`));
  expect(claviger.logged().match(/authentication is off/g)).toHaveLength(2);
  expect((await claviger.control({ path: "/metrics" })).text).toContain("claviger_auth_off_listeners 2");
  for (const [name, auth] of [
    ["off-written", "disabled"],
    ["programs", "enabled"],
  ] as const)
    expect((await ask(await urlOf(name), { path: "/api/v1/info" })).json).toMatchObject({ auth });
});

test("[I4] further host names and origins are those of the listener that names them", async () => {
  const asked = { origin: PAGE, "access-control-request-method": "POST" };
  for (const [name, hosted, allowed] of [
    ["named", 200, 204],
    ["programs", 421, 403],
  ] as const) {
    const headers = { ...bearer(key), host: "box.example" };
    expect([name, await statusAt(name, "/v1/models", headers)]).toEqual([name, hosted]);
    for (const path of ["/v1/models", "/v1beta/models", "/x/shop/list"])
      expect([name, path, await statusAt(name, path, asked, "OPTIONS")]).toEqual([name, path, allowed]);
  }
});

test("[I4] [I5] beyond loopback a listener of the file speaks plain HTTP, or lets all in, where that is written, and else no server starts", async () => {
  const remote = { listen_addr: "0.0.0.0:0" };
  await using server = await startFrom({
    plain: listener(["keys"], { ...remote, allow_plain_http: true }),
    off: listener(null, { ...remote, tls: "auto", allow_unauthenticated_remote: true }),
  });
  const here = server.app.urls.map((url) => url.replace("0.0.0.0", "127.0.0.1"));
  expect(here).toEqual([expect.stringMatching(/^http:/), expect.stringMatching(/^https:/)]);
  const asked = { path: "/v1/models", rejectUnauthorized: false };
  const statuses = await Promise.all(here.map(async (url) => (await ask(url, asked)).status));
  expect(statuses).toEqual([401, 200]);
  for (const [field, problem] of [
    [listener(["keys"], remote), /plain HTTP beyond this machine/],
    [listener(null, { ...remote, tls: "auto" }), /auth: null would let everyone in from beyond this machine/],
  ] as const)
    await expect(startFrom({ field })).rejects.toThrow(problem);
});

test("[I4] no server starts from a file whose listener lacks auth, or names there whom the file does not declare", async () => {
  const { auth: _, ...without } = listener([]);
  await expect(startFrom({ without })).rejects.toThrow("this HttpServer lacks the field auth");
  await expect(startFrom({ till: TILL, front: listener(["keys", "tilll"]) })).rejects.toThrow(
    'there is no Identity called "tilll" (did you mean "till"?)',
  );
});

test("[I16] listeners, identities and permission sets of the file are shown as such, and no route of the API would change them", async () => {
  for (const [path, name] of [
    ["/api/v1/listeners", "people"],
    ["/api/v1/identities", "till"],
    ["/api/v1/permission-sets", "reader"],
  ] as const) {
    const { json } = await claviger.control({ path });
    const rows: { name: string }[] = Object(json).data;
    expect(rows.find((row) => row.name === name)).toMatchObject({ name, source: "file" });
    const ways = claviger.app.routes().filter((route) => route.path.startsWith(path));
    expect(new Set(ways.map(({ method }) => method))).toEqual(new Set(["GET", "HEAD"]));
    for (const method of ["PUT", "PATCH", "DELETE"])
      expect((await claviger.control({ method, path: `${path}/${name}`, body: {} })).status).toBe(404);
  }
});

const startFrom = (resources: object) => startClaviger({ listen: [], yaml: JSON.stringify({ resources }) });

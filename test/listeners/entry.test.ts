import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";

import { allows, permissionSets, rightsOf } from "#gates/access/index.ts";
import { beginExchange } from "#platform/http/exchange.ts";
import { admit } from "#platform/http/pipeline.ts";
import type { Caller } from "#platform/http/ports.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newToken, writeMember } from "#test/cluster/cluster-files.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { firstPerson, logIn, withCookie } from "#test/people/person.ts";
import { addListeners, ask, bearer, entryOf, listenerSpec } from "./bench.ts";

let claviger: TestClaviger;
let key: string;
beforeAll(async () => {
  claviger = await startClaviger();
  ({ key } = await claviger.issueKey("app", ["superadmin"]));
});
afterAll(() => claviger[Symbol.asyncDispose]());

const anywhere = { permissionSet: "gateway", from: "anywhere" } as const;
const PROXIED = { "x-forwarded-for": "192.0.2.1" };

test("[I4] what a listener does not serve is 404 for who is known, and 401 before, as a path that nobody declared", async () => {
  const [gateway = "", api = ""] = await addListeners(
    claviger,
    listenerSpec("gateway", { serves: new Set(["gateway"]) }),
    listenerSpec("api", { serves: new Set(["api"]) }),
  );
  const status = async (url: string, path: string, headers = {}) =>
    (await ask(url, { path, headers })).status;
  for (const path of ["/api/v1/keys", "/api/v1/info", "/metrics"]) {
    expect(await status(gateway, path), path).toBe(401);
    expect(await status(gateway, path, bearer(key)), path).toBe(404);
    expect(await status(api, path, bearer(key)), path).toBe(200);
  }
  for (const path of ["/v1/models", "/v1beta/models", "/x/search"]) {
    expect(await status(api, path), path).toBe(401);
    expect(await status(api, path, bearer(key)), path).toBe(404);
  }
  expect(await status(gateway, "/v1/models", bearer(key))).toBe(200);
  for (const url of [gateway, api]) expect(await status(url, "/health")).toBe(200);
});

test("[I7] [A3] a key that may not come in by a listener is answered as an unknown one; the access log alone says not_here", async () => {
  const [url = ""] = await addListeners(
    claviger,
    listenerSpec("no-keys", { entry: entryOf({ keys: false }) }),
  );
  const judged = async (credential: string) => {
    const { status, text } = await ask(url, {
      path: "/v1/models",
      headers: { ...bearer(credential), "x-request-id": "same" },
    });
    return { status, text };
  };
  const unknown = await judged(`${key.slice(0, -8)}${key.slice(-8).split("").reverse().join("")}`);
  expect(await judged(key)).toEqual(unknown);
  expect(unknown.status).toBe(401);
  const lines = claviger
    .logged()
    .split("\n")
    .filter((line) => line.includes('"listener":"no-keys"'));
  expect(lines.map((line) => JSON.parse(line).reason)).toEqual([
    expect.not.stringMatching("not_here"),
    "not_here",
  ]);
  expect((await claviger.call({ path: "/v1/models", headers: bearer(key) })).status).toBe(200);
});

test("[I6] without a credential only local programs come in by `local`, to the gateway only", async () => {
  const call = async (path: string, headers = {}) => (await claviger.call({ path, headers })).status;
  expect(await call("/v1/models")).toBe(200);
  expect(await call("/v1/models", PROXIED)).toBe(401);
  expect(await call("/api/v1/keys")).toBe(401);
  expect(await call("/metrics")).toBe(401);
});

test("[I6] by `local` people who sign in, keys and members of the cluster come in too, through a proxy as well", async () => {
  await using server = await startClaviger();
  const person = await firstPerson(server);
  const token = newToken();
  writeMember(server.dataDir, token);
  const statusOf = async (headers: Record<string, string>) =>
    (await server.call({ path: "/api/v1/nodes", headers })).status;
  await expect.poll(() => statusOf(bearer(token)), { timeout: 20_000 }).toBe(200);
  const issued = await server.issueKey("app", ["viewer"]);
  for (const headers of [withCookie(person.cookie), bearer(issued.key), bearer(token)])
    for (const way of [{}, PROXIED]) expect(await statusOf({ ...headers, ...way })).toBe(200);
  expect((await logIn(server, { password: person.password }, PROXIED)).status).toBe(200);
  for (const way of [{}, PROXIED]) expect(await statusOf(way)).toBe(401);
});

test("[I4] `anonymous` by name lets anyone use the gateway, within its permission set, and nothing else", async () => {
  const [all = "", nothing = ""] = await addListeners(
    claviger,
    listenerSpec("anyone", { entry: entryOf({ anonymous: anywhere }) }),
    listenerSpec("viewers", { entry: entryOf({ anonymous: { ...anywhere, permissionSet: "viewer" } }) }),
  );
  const status = async (url: string, path: string, headers = {}) =>
    (await ask(url, { path, headers })).status;
  expect(await status(all, "/v1/models", PROXIED)).toBe(200);
  expect(await status(all, "/v1/models", bearer("anonymous"))).toBe(200);
  expect(await status(all, "/v1/models", bearer("wrong"))).toBe(401);
  expect(await status(all, "/api/v1/audit")).toBe(401);
  const chat = { path: "/v1/embeddings", method: "POST", headers: { "content-type": "application/json" } };
  const body = JSON.stringify({ model: "none/none", input: "x" });
  expect((await ask(all, { ...chat, body })).status).toBe(404);
  expect((await ask(nothing, { ...chat, body })).status).toBe(403);
  expect(await status(nothing, "/v1/models")).toBe(200);
});

test("[I5] authentication that is off lets anyone in, is warned of, counted and shown; what is never anonymous stays so", async () => {
  const [off = "", full = ""] = await addListeners(
    claviger,
    listenerSpec("off", { entry: { kind: "open", permissionSet: "gateway" }, serves: new Set(["gateway"]) }),
    listenerSpec("off-full", { entry: { kind: "open", permissionSet: "superadmin" } }),
  );
  const status = async (url: string, path: string) => (await ask(url, { path, headers: PROXIED })).status;
  expect(await status(off, "/v1/models")).toBe(200);
  expect(await status(off, "/api/v1/info")).toBe(404);
  expect(await status(full, "/api/v1/keys")).toBe(200);
  expect((await ask(full, { path: "/api/v1/info" })).json).toMatchObject({ auth: "disabled" });
  expect((await claviger.call({ path: "/api/v1/info" })).json).toMatchObject({ auth: "enabled" });
  expect((await ask(full, { path: "/v1/models", headers: bearer("wrong") })).status).toBe(401);
  for (const [method, path] of [
    ["POST", "/api/v1/key/lock"],
    ["GET", "/api/v1/listeners"],
    ["GET", "/api/v1/users"],
    ["GET", "/api/v1/backup"],
  ] as const)
    expect([path, (await ask(full, { method, path })).status]).toEqual([path, 403]);
  expect(claviger.logged()).toMatch(/"listener":"off".*authentication is off/);
  const { text } = await claviger.control({ path: "/metrics" });
  expect(text).toContain("claviger_auth_off_listeners 2");
});

test("[I5] no permission set gives the anonymous settings.manage, users.manage or backup.create", () => {
  const rights = rightsOf({ kind: "anonymous", permissionSets: ["superadmin"] }, permissionSets({}).sets);
  const never = ["settings.manage", "users.manage", "backup.create"];
  const others = ["gateway.use", "keys.manage", "audit.read", "cluster.lock"];
  expect([...never, ...others].filter((action) => allows(rights, action))).toEqual(others);
  expect(rightsOf({ kind: "anonymous", permissionSets: ["gone"] }, permissionSets({}).sets)).toEqual([]);
});

test("[I5] [N4] beyond loopback, plain HTTP and authentication that is off must be permitted by name", async () => {
  const beyond = { targets: [{ host: "0.0.0.0", port: 0 }] };
  const off = { entry: { kind: "open", permissionSet: "gateway" } } as const;
  const { listeners } = claviger.app;
  const apply = (own: Parameters<typeof listenerSpec>[1]) =>
    listeners.apply([...listeners.specs, listenerSpec("beyond", { ...beyond, ...own })]);
  await expect(apply({})).rejects.toThrow(
    /beyond on 0\.0\.0\.0:0 would serve plain HTTP .*allow_plain_http: true/,
  );
  await expect(apply({ ...off, allowPlainHttp: true })).rejects.toThrow(/allow_unauthenticated_remote: true/);
  expect(listeners.specs.map(({ name }) => name)).not.toContain("beyond");
  await apply({ ...off, allowPlainHttp: true, allowUnauthenticatedRemote: true });
  const url = (claviger.app.urls.at(-1) ?? "").replace("0.0.0.0", "127.0.0.1");
  expect((await ask(url, { path: "/v1/models", headers: PROXIED })).status).toBe(200);
  await listeners.apply(listeners.specs.filter(({ name }) => name !== "beyond"));
});

test("[I6] REQUIRE_API_KEY takes the anonymous from every listener, and does not go with authentication that is off", async () => {
  await using strict = await startClaviger({ env: { REQUIRE_API_KEY: "true" } });
  const [named = ""] = await addListeners(
    strict,
    listenerSpec("anyone", { entry: entryOf({ anonymous: anywhere }) }),
  );
  for (const url of [strict.url, named]) expect((await ask(url, { path: "/v1/models" })).status).toBe(401);
  const off = listenerSpec("off", { entry: { kind: "open", permissionSet: "gateway" } });
  await expect(addListeners(strict, off)).rejects.toThrow(
    /off turns authentication off, and REQUIRE_API_KEY/,
  );
});

test("[I7] an identity comes in by the listeners whose list has its name, and is refused as unknown by the others", () => {
  const caller: Caller = { kind: "identity", id: "ci", resource: "ci", permissionSets: ["gateway"], slot: 1 };
  const judge = (...names: string[]) => {
    const entry = { ...entryOf({}), identities: new Set(names), anonymous: undefined };
    const policy = listenerPolicy({ entry });
    const request = new IncomingMessage(new Socket());
    Object.assign(request, { url: "/v1/models", headers: { host: "localhost", ...bearer("key") } });
    const facts = { requestId: "req_1", address: "127.0.0.1", now: 0, monotonicMs: 0 };
    const exchange = beginExchange(request, policy, facts);
    const gates = {
      lock: { isLocked: () => false },
      authenticator: { authenticate: () => ({ caller }), holds: () => true },
      addressLimit: { failed: () => undefined, waitS: () => undefined },
      callerLimits: { begin: () => undefined },
      authorizer: { allows: () => true },
    };
    try {
      void admit(gates, exchange, request, { ...MODELS });
      return exchange.caller;
    } catch (error) {
      return { error, refusal: exchange.refusal };
    }
  };
  expect(judge("ci", "other")).toBe(caller);
  for (const names of [[], ["other"]])
    expect(judge(...names)).toMatchObject({ error: { code: "invalid_token" }, refusal: "not_here" });
});

const MODELS = {
  method: "GET",
  path: "/v1/models",
  action: "models.read",
  openWhileLocked: false,
  family: "gateway",
} as const;

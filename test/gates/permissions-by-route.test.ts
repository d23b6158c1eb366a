import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACTIONS, type Action } from "#gates/access/action.ts";
import { allowsSome, permissionSets, setsNamed } from "#gates/access/index.ts";
import { BUILT_IN } from "#gates/access/permission-set.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { CONTROL, OPEN, SELF } from "#platform/http/route.ts";
import { createHttpServer, type HttpServer } from "#platform/http/server.ts";
import { createLog } from "#platform/log/log.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { OFFLINE } from "#test/offline.ts";
import { seededRandom } from "#test/seeded-random.ts";

type Route = ReturnType<HttpServer["routes"]>[number];

const MODEL_CALL = { model: "thing/model", messages: [], input: "text", prompt: "text", max_tokens: 1 };
/** A body the route takes, by method and path as registered; rights are asked only of a request that is well formed. */
const BODIES: Readonly<Record<string, unknown>> = {
  "POST /api/v1/keys/:id/rotate": { overlap: "0" },
  "POST /api/v1/keys/leaked": { key: "nobody's" },
  "PUT /api/v1/credentials/:name": { value: "a-credential" },
  // Refused whoever asks, so that the server stays as it is for the routes that follow.
  "POST /api/v1/key/initialize": { key: "too short" },
  "POST /api/v1/key/unlock": { key: "nobody's server key" },
  "POST /api/v1/key/rotate": { current_key: "nobody's server key", new_key: "nor is this one" },
  "POST /api/v1/cluster/init": { pin: "1234" },
  "POST /api/v1/cluster/join": { url: "https://127.0.0.1", pin: "1234" },
  "POST /api/v1/cluster/rename": { name: "thing" },
  "PUT /api/v1/first-run": { open: true, skipped: [] },
  "POST /api/v1/backup": { password: "nobody's password" },
  "POST /api/v1/users": { username: "thing", password: "nobody's password", permissions: [] },
  "PATCH /api/v1/users/:id": { permissions: [] },
  "PUT /api/v1/users/:id/password": { password: "nobody's password" },
  "POST /api/v1/me/second-factor/confirm": { code: "123456" },
  "POST /api/v1/users/:id/second-factor/confirm": { code: "123456" },
  "POST /login/password": { password: "123456" },
  "PUT /api/v1/me/password": { current_password: "nobody's password", new_password: "nor is this one" },
  "POST /api/v1/me/reauthenticate": { password: "nobody's password" },
  "POST /api/v1/keys": { name: "thing", permissions: [] },
  "POST /api/v1/providers": {
    name: "thing",
    kind: "openai-compatible",
    base_url: "https://thing.invalid/v1",
  },
};

/** What stands below these paths asks for this and nothing else; the longer ones come first. */
const SUBJECTS: readonly (readonly [string, Action | typeof OPEN | typeof SELF | typeof CONTROL])[] = [
  ["/v1/models", "models.read"],
  ["/v1/", "gateway.use"],
  ["/x/", "gateway.use"],
  ["/metrics", "metrics.read"],
  ["/api/v1/status", "nodes.read"],
  ["/api/v1/nodes/", "cluster.manage"],
  ["/api/v1/nodes", "nodes.read"],
  ["/api/nodes", "nodes.read"],
  ["/api/v1/usage", "usage.read"],
  ["/api/v1/overview", "usage.read"],
  ["/api/v1/requests", "requests.read"],
  ["/api/v1/audit", "audit.read"],
  ["/api/v1/keys", "keys.manage"],
  ["/api/v1/key/status", "open"],
  ["/api/v1/key/", "settings.manage"],
  ["/api/v1/first-run", "settings.manage"],
  ["/api/v1/settings", "settings.manage"],
  ["/api/v1/listeners", "settings.manage"],
  ["/api/v1/backup", "backup.create"],
  ["/api/v1/cluster/lock", "cluster.lock"],
  ["/api/v1/cluster/", "cluster.manage"],
  ["/cluster/join/", OPEN],
  ["/api/v1/cluster", "nodes.read"],
  ["/api/v1/models", "models.read"],
  ["/api/v1/providers", "providers.manage"],
  ["/api/v1/users", "users.manage"],
  ["/api/v1/permission-sets", "identities.read"],
  ["/login/", OPEN],
  ["/logout", SELF],
  ["/api/v1/me", SELF],
  ["/api/v1/setup-code", CONTROL],
];

/** What is asked of nodes, who hold no sets. */
const NODE_ACTIONS = ["cluster.greet", "cluster.member"];

/** Everything wrong with how the routes are declared: each names one action that exists, or that it is open. */
function faultsOf(routes: readonly Route[]): string[] {
  const actions: readonly string[] = [OPEN, SELF, CONTROL, ...ACTIONS];
  return routes.flatMap(({ method, path, contract }) => {
    if (contract === undefined) return [`${method} ${path} declares nothing`];
    const { action, family } = contract;
    if (!(family === "node" ? NODE_ACTIONS : actions).includes(action))
      return [`${method} ${path} asks for ${action}`];
    // A HEAD that the framework adds to a GET is the same route.
    const sameMethod = contract.method === method || (contract.method === "GET" && method === "HEAD");
    return sameMethod ? [] : [`${method} ${path} is declared as ${contract.method}`];
  });
}

const { sets } = permissionSets({});
const holds = (set: string, action: Action) => allowsSome(setsNamed([set], sets), action);
/** All that can be given without the action: every set that does not hold it. */
const without = (action: Action) => Object.keys(BUILT_IN).filter((set) => !holds(set, action));
/** The least that can be given with it. */
function leastWith(action: Action): string[] {
  const size = (set: string) => ACTIONS.filter((each) => holds(set, each)).length;
  const holding = Object.keys(BUILT_IN).filter((set) => holds(set, action));
  return holding.toSorted((one, other) => size(one) - size(other)).slice(0, 1);
}

const clock = new FakeClock();
/** The route that looks for members on the network is called too, and is to ask nobody. */
const YAML = "settings: { mdns: off }\n";
let claviger: TestClaviger;
beforeAll(async () => {
  claviger = await startClaviger({
    ...{ clock, egress: OFFLINE, yaml: YAML },
    env: { REQUIRE_API_KEY: "true" },
  });
});
afterAll(() => claviger[Symbol.asyncDispose]());

async function call({ method, path }: Route, key?: string, send = claviger.call) {
  const filled = path.replace(/:\w+|\{\w+\}/g, "thing").replace("*", "rest");
  const body = BODIES[`${method} ${path}`] ?? (path.startsWith("/v1/") ? MODEL_CALL : {});
  const answer = await send({
    method,
    path: filled,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    ...(["POST", "PUT", "PATCH"].includes(method) ? { body } : {}),
  });
  return { what: `${method} ${path}`, status: answer.status };
}

/** Every route that is not open, by the action it asks for. */
const closedRoutes = () =>
  ACTIONS.map(
    (action) =>
      [action, claviger.app.routes().filter(({ contract }) => contract?.action === action)] as const,
  );

describe("every route, from the server's own list", () => {
  test("[A1] names one action that exists, or that it is open", () => {
    expect(faultsOf(claviger.app.routes())).toEqual([]);
  });

  test("[I15] asks for the action that belongs to its subject", () => {
    const seen = new Set<string>();
    for (const { path, contract } of claviger.app.routes()) {
      const [start, action] = SUBJECTS.find(([below]) => path.startsWith(below)) ?? [];
      if (start !== undefined) expect(contract?.action, path).toBe(action);
      seen.add(start ?? "");
    }
    expect(SUBJECTS.filter(([start]) => !seen.has(start))).toEqual([]);
  });

  test("[A3] is 401 for a wrong credential, unless it is open", async () => {
    for (const route of claviger.app.routes()) {
      // So that wrong ones are not yet too many for one address.
      clock.advance(60_000);
      const { what, status } = await call(route, "sk-not-one-of-ours");
      // Without TLS there is no joining, and no node.
      const otherwise = route.contract?.action === OPEN ? 200 : 401;
      expect(status, what).toBe(route.path.startsWith("/cluster/") ? 404 : otherwise);
    }
  });

  test("[A3] [I15] is 403 for whoever holds all but its action", async () => {
    const answers = [];
    for (const [action, routes] of closedRoutes()) {
      const { key } = await claviger.issueKey(`no-${action}`, without(action));
      for (const route of routes) answers.push(await call(route, key));
    }
    expect(answers.length).toBeGreaterThan(30);
    // 403 throughout: of what a route is about nothing is looked up before the action is held on some target.
    expect(answers.filter(({ status }) => status !== 403)).toEqual([]);
  });

  test("[A3] [I15] lets in who holds its action", async () => {
    for (const [action, routes] of closedRoutes()) {
      const { key } = await claviger.issueKey(`with-${action}`, leastWith(action));
      // Events are told until one leaves: their own tests see who may listen.
      for (const route of routes.filter(({ path }) => path !== "/sse")) {
        const { what, status } = await call(route, key);
        expect([401, 403, 500], `${what} answered ${status}`).not.toContain(status);
      }
    }
  });

  test("[N10] lets in who opens the control socket, whatever its action", async () => {
    const routes = claviger.app.routes().filter(({ contract }) => contract?.action === CONTROL);
    const all = [...routes, ...closedRoutes().flatMap(([, each]) => each)];
    expect(all.length).toBeGreaterThan(60);
    for (const route of all.filter(({ path }) => path !== "/sse")) {
      const { what, status } = await call(route, undefined, claviger.control);
      expect([401, 403, 421, 429, 500], `${what} answered ${status}`).not.toContain(status);
    }
  });

  test("[A3] is 403 for a key without any set", async () => {
    const { key } = await claviger.issueKey("bare", []);
    for (const route of claviger.app.routes().filter(({ contract }) => contract?.action !== OPEN))
      expect(await call(route, key)).toEqual({
        what: `${route.method} ${route.path}`,
        status: route.contract?.family === "node" ? 404 : 403,
      });
  });
});

describe("a planted route", () => {
  const KEY = "a right credential";
  const ran: string[] = [];
  const gates: Gates = {
    lock: { isLocked: () => false },
    authenticator: {
      authenticate: (presented) =>
        presented === KEY
          ? { caller: { kind: "key", id: "key_1", permissionSets: [], slot: 0 } }
          : { refused: presented === undefined ? "missing" : "unknown" },
      holds: () => true,
    },
    addressLimit: { failed: () => undefined, waitS: () => undefined },
    callerLimits: { begin: () => undefined },
    authorizer: { allows: () => true },
  };
  const policy = listenerPolicy();
  const all = new AsyncDisposableStack();
  afterAll(() => all.disposeAsync());

  async function plant(
    path: string,
    action: string | undefined,
  ): Promise<{ server: HttpServer; port: number }> {
    const contract = {
      method: "GET",
      path,
      action: action ?? "",
      openWhileLocked: false,
      family: "api",
    } as const;
    const server = await createHttpServer({
      gates,
      audit: { refused: () => {} },
      log: createLog({ level: "fatal", sink: { write: () => {} } }),
      tools: { clock: new FakeClock(), random: seededRandom(3) },
      gateway: { contracts: () => [], serve: () => {} },
      register: (api) => {
        api.route({
          method: "GET",
          url: path,
          ...(action === undefined ? {} : { config: { contract } }),
          handler: async () => {
            ran.push(path);
            return {};
          },
        });
      },
    });
    all.defer(() => server.close());
    const listening = createServer((request, response) =>
      server.front(request, response, policy, "127.0.0.1"),
    );
    await once(listening.listen(0, "127.0.0.1"), "listening");
    all.defer(() => void listening.close());
    const address = listening.address();
    return { server, port: typeof address === "object" ? (address?.port ?? 0) : 0 };
  }

  const ask = (port: number, path: string, key?: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      httpRequest({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode));
      })
        .on("error", reject)
        .end();
    });

  test("[A1] without an action fails the walk, and is never served: 401, and 404 for a principal", async () => {
    const { server, port } = await plant("/api/v1/planted", undefined);
    expect(faultsOf(server.routes())).toEqual([
      "GET /api/v1/planted declares nothing",
      "HEAD /api/v1/planted declares nothing",
    ]);
    expect(await ask(port, "/api/v1/planted")).toBe(401);
    expect(await ask(port, "/api/v1/planted", KEY)).toBe(404);
    expect(ran).toEqual([]);
  });

  test("[A1] with an action nobody knows fails the walk; with one that exists it is served", async () => {
    const misspelt = await plant("/api/v1/misspelt", "keys.mange");
    expect(faultsOf(misspelt.server.routes())[0]).toBe("GET /api/v1/misspelt asks for keys.mange");
    const { server, port } = await plant("/api/v1/sound", "keys.manage");
    expect(faultsOf(server.routes())).toEqual([]);
    expect([await ask(port, "/api/v1/sound"), await ask(port, "/api/v1/sound", KEY)]).toEqual([401, 200]);
    expect(ran).toEqual(["/api/v1/sound"]);
  });
});

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { allows, allowsSome, permissionSets, rightsOf } from "#gates/access/index.ts";
import { createEgressClient } from "#platform/egress/egress-client.ts";
import { beginExchange } from "#platform/http/exchange.ts";
import type { AuditSink, Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import { createLog } from "#platform/log/log.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { type Gateway, openGateway } from "#services/gateway/index.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { startUpstream } from "#test/upstream.ts";

const CALLER: Caller = { kind: "key", id: "key_1", permissionSets: ["some"], slot: 0 };
const { sets } = permissionSets({
  some: {
    allow: [
      "gateway.use:sim/open",
      "models.read:sim/open",
      "models.read:sim/seen",
      "gateway.use:x/open*",
      "models.read:x/seen",
    ],
    deny: ["gateway.use:x/open-not"],
  },
});

const API_NAMES = new Set(["open", "opened", "open-not", "seen", "hidden"]);

/** The gateway alone, with a caller who holds the set `some` and a provider `sim` of three models. */
async function startGateway(
  stack: AsyncDisposableStack,
  baseUrl: string,
  refused: AuditSink["refused"],
  whileResolving: (gateway: Gateway) => void = () => undefined,
): Promise<string> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-"));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = new FakeClock();
  const database = stack.use(await openSqlite({ dataDir, clock }));
  const log = createLog({ level: "silent", sink: { write: () => undefined } });
  const provider = {
    id: "prov_1",
    name: "sim",
    kind: "openai-compatible" as const,
    baseUrl: new URL(baseUrl),
    options: {},
    createdAt: 0,
    source: "store" as const,
  };
  const rights = (caller: Caller) => rightsOf(caller, sets);
  const gateway: Gateway = openGateway({
    gates: {
      lock: { isLocked: () => false },
      authenticator: { authenticate: () => ({ caller: CALLER }), holds: () => true },
      addressLimit: { failed: () => undefined, waitS: () => undefined },
      callerLimits: { begin: () => undefined },
      authorizer: {
        allows: (caller, action, target) =>
          target === undefined ? allowsSome(rights(caller), action) : allows(rights(caller), action, target),
      },
    },
    sinks: { audit: { refused }, log, rows: { database, log } },
    upstream: {
      egress: stack.use(createEgressClient()),
      credentials: {
        resolve: async () => {
          whileResolving(gateway);
          return undefined;
        },
        coolDown: () => undefined,
      },
      clock,
    },
    providers: {
      ordered: () => [
        provider,
        ...[...API_NAMES].map((name) => ({ ...provider, id: `prov_${name}`, name, kind: "http" as const })),
      ],
      fetchModels: async () => ["open", "seen", "hidden"],
    },
    settings: { enable_request_logs: false, gateway_body_limit_bytes: 1024, prices: [] },
  });
  stack.defer(() => gateway.flush());
  const listener = listenerPolicy();
  const server = createServer((request, response) =>
    gateway.family.serve(
      beginExchange(request, listener, { requestId: "req_1", address: null, now: 0, monotonicMs: 0 }),
      request,
      response,
    ),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gateway has no port");
  return `http://127.0.0.1:${address.port}`;
}

test("[I2] [W1] a model outside the patterns of models.read does not exist, one outside gateway.use is forbidden", async () => {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ listsApart: true }));
  const refused: (string | undefined)[] = [];
  const url = await startGateway(stack, upstream.baseUrl, ({ target }) => refused.push(target));
  const list: unknown = await (await fetch(`${url}/v1/models`)).json();
  expect(list).toMatchObject({ data: [{ id: "sim/open" }, { id: "sim/seen" }] });
  expect(JSON.stringify(list)).not.toContain("hidden");
  expect((await fetch(`${url}/v1/models/sim/seen`)).status).toBe(200);
  expect((await fetch(`${url}/v1/models/sim/hidden`)).status).toBe(404);
  expect((await fetch(`${url}/v1/models/hidden`)).status).toBe(404);
  const ask = async (model: string) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ model, messages: [] });
    return (await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })).status;
  };
  const asked = ["open", "sim/open", "sim/seen", "seen", "sim/hidden", "hidden", "sim/none"];
  expect(await Promise.all(asked.map(ask))).toEqual([200, 200, 403, 403, 404, 404, 404]);
  expect(upstream.requests).toHaveLength(2);
  // What does not exist for him is no refusal; a refusal names the model.
  expect(refused).toEqual(["sim/seen", "sim/seen"]);
});

test("[I2] [G11] an API outside the patterns of gateway.use does not exist, unless it may be known", async () => {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ listsApart: true }));
  const refused: (string | undefined)[] = [];
  const url = await startGateway(stack, upstream.baseUrl, ({ target }) => refused.push(target));
  const ask = async (name: string) => (await fetch(`${url}/x/${name}/models/of`)).status;
  const asked = ["open", "opened", "open-not", "seen", "hidden", "none"];
  // 404 of the upstream, then of this server.
  expect(await Promise.all(asked.map(ask))).toEqual([404, 404, 404, 403, 404, 404]);
  expect(upstream.requests.map(({ path }) => path)).toEqual(["/v1/models/of", "/v1/models/of"]);
  expect(refused).toEqual(["x/seen"]);
});

test("[G11] [S9] a request that is ended while its credential is fetched sends nothing out", async () => {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ listsApart: true }));
  const lock = (gateway: Gateway) => gateway.endAll(new AppError("server_locked"));
  let ending: (gateway: Gateway) => void = () => undefined;
  const url = await startGateway(
    stack,
    upstream.baseUrl,
    () => undefined,
    (gateway) => ending(gateway),
  );
  const ask = async () => (await fetch(`${url}/x/open/models/of`)).status;
  // The first leaves a connection open, over which a second could go at once.
  expect(await ask()).toBe(404);
  ending = lock;
  expect(await ask()).toBe(503);
  ending = () => undefined;
  expect(await ask()).toBe(404);
  expect(upstream.requests).toHaveLength(2);
});

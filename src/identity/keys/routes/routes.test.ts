import { mkdtempDisposableSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { allows, allowsSome, permissionSets, rightsOf } from "#gates/access/index.ts";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { type Listener, openListener } from "#platform/http/listener.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { createHttpServer } from "#platform/http/server.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { openIssuedKeys } from "../issued-keys.ts";
import { keyRoutes } from "./routes.ts";

const BY = { principal: { kind: "local" }, address: null, requestId: "req_1" } as const;
const { sets } = permissionSets({
  developer: { allow: ["keys.manage:dev-*"], deny: ["keys.manage:dev-boss"] },
  nothing: { allow: ["usage.read"] },
});
const all = new AsyncDisposableStack();
let listener: Listener;
let ids: Record<string, string>;
let developer: string;

beforeAll(async () => {
  const directory = all.use(mkdtempDisposableSync(join(tmpdir(), "claviger-key-routes-")));
  const tools = { clock: new FakeClock(), random: seededRandom(8) };
  const database = all.use(await openSqlite({ dataDir: directory.path, clock: tools.clock }));
  const audit = openAuditRecorder({ database, clock: tools.clock });
  const keys = await openIssuedKeys({
    database,
    ...tools,
    secret: new Secret("the secret of a test"),
    audit,
  });
  const issue = (name: string, permissions: string[]) =>
    keys.create({ name: resourceName.parse(name), permissions, by: BY }, sets);
  developer = (await issue("developer", ["developer"])).key.expose();
  ids = Object.fromEntries(
    await Promise.all(
      ["dev-1", "dev-2", "dev-boss", "prod-1"].map(async (name) => [name, (await issue(name, [])).id]),
    ),
  );
  const gates: Gates = {
    lock: { isLocked: () => false },
    authenticator: {
      authenticate: (presented) => {
        const verdict = keys.reader.authenticate(presented);
        return verdict.ok ? { caller: { kind: "key", ...verdict.key } } : { refused: verdict.reason };
      },
      holds: () => true,
    },
    addressLimit: { failed: () => undefined, waitS: () => undefined },
    callerLimits: { begin: () => undefined },
    authorizer: {
      allows: (caller, action, target) =>
        target === undefined
          ? allowsSome(rightsOf(caller, sets), action)
          : allows(rightsOf(caller, sets), action, target),
    },
  };
  const server = await createHttpServer({
    gates,
    audit: { refused: () => {} },
    log: createLog({ level: "fatal", sink: { write: () => {} } }),
    tools,
    gateway: { contracts: () => [], serve: () => {} },
    register: (api) =>
      keyRoutes(api, { keys, sets, gates, settle: async () => {}, identityOf: () => undefined }),
  });
  all.defer(() => server.close());
  listener = await openListener({
    target: { host: "127.0.0.1", port: 0 },
    policy: listenerPolicy(),
    front: server.front,
    newRequestId: () => "req_test",
    onBroken: () => {},
  });
  all.defer(() => listener.close(0));
});
afterAll(() => all.disposeAsync());

function ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${developer}`,
    ...(text && { "content-type": "application/json" }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(listener.url + path, { method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(Buffer.from(chunk));
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    });
    outgoing.on("error", reject).end(text);
  });
}

test("[I2] [A3] a pattern on keys.manage is matched against the name of the key that is made", async () => {
  for (const [name, status] of [
    ["dev-3", 201],
    ["prod-2", 403],
    ["xdev-1", 403],
    ["dev-boss", 403],
  ] as const)
    expect((await ask("POST", "/api/v1/keys", { name, permissions: [] })).status, name).toBe(status);
});

test("[I2] the list shows the keys of these names only, page by page", async () => {
  const shape = z.object({
    data: z.array(z.object({ name: z.string() })),
    next_cursor: z.string().nullable(),
  });
  const names: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = shape.parse(JSON.parse((await ask("GET", `/api/v1/keys?limit=1${cursor}`)).text));
    names.push(...page.data.map(({ name }) => name));
    cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`;
  }
  expect(names.filter((name) => name !== "dev-3").toSorted()).toEqual(["dev-1", "dev-2"]);
});

test("[I2] and a key of another name is not revoked", async () => {
  expect((await ask("DELETE", `/api/v1/keys/${ids["prod-1"]}`)).status).toBe(403);
  expect((await ask("DELETE", `/api/v1/keys/${ids["dev-boss"]}`)).status).toBe(403);
  expect((await ask("DELETE", `/api/v1/keys/${ids["dev-1"]}`)).status).toBe(204);
});

import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { createLog } from "#platform/log/log.ts";
import { changeStore } from "#test/change-store.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";

const COLUMNS = [
  "chain",
  "seq",
  "time",
  "actor",
  "action",
  "target",
  "outcome",
  "address",
  "request_id",
  "count",
  "hash",
];
const pageShape = z.object({
  data: z.array(
    z.object({
      seq: z.number(),
      actor: z.string(),
      action: z.string(),
      target: z.string().nullable(),
      outcome: z.string(),
      address: z.string().nullable(),
      request_id: z.string().nullable(),
      count: z.number(),
    }),
  ),
  next_cursor: z.string().nullable(),
});

let clock: FakeClock;
let claviger: TestClaviger;
let app: { id: string; key: string };
let admin: { id: string; key: string };
beforeAll(async () => {
  clock = new FakeClock();
  claviger = await startClaviger({ clock, env: { REQUIRE_API_KEY: "true" } });
  app = await claviger.issueKey("app");
  admin = await claviger.issueKey("admin", ["superadmin"]);
});
afterAll(() => claviger[Symbol.asyncDispose]());

const page = async (query = "") =>
  pageShape.parse((await claviger.control({ path: `/api/v1/audit${query}` })).json);
const rowOf = async (requestId: string) =>
  (await page("?limit=1000")).data.filter((row) => row.request_id === requestId);
const as = (who: { key: string }, requestId: string) => ({
  authorization: `Bearer ${who.key}`,
  "x-request-id": requestId,
});

describe("the audit", () => {
  test("[H5] a row has these columns and no others, newest first, and pages join without a gap", async () => {
    const answer = await claviger.control({ path: "/api/v1/audit?limit=1" });
    const shape = z.object({ data: z.array(z.record(z.string(), z.unknown())) }).parse(answer.json);
    expect(Object.keys(shape.data[0] ?? {}).toSorted()).toEqual(COLUMNS.toSorted());
    expect(shape.data[0]).toMatchObject({
      chain: expect.stringMatching(/^chain_[0-9a-f]{16}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      time: "2026-01-01T00:00:00.000Z",
    });
    const first = await page("?limit=1");
    const second = await page(`?limit=1&cursor=${first.next_cursor}`);
    expect((first.data[0]?.seq ?? 0) - (second.data[0]?.seq ?? 0)).toBe(1);
    expect((await claviger.control({ path: "/api/v1/audit?cursor=x" })).status).toBe(400);
    expect((await claviger.control({ path: "/api/v1/audit?before=1" })).status).toBe(400);
  });

  test("[H5] [I15] it takes audit.read", async () => {
    const read = (who: { key: string }) =>
      claviger.call({ path: "/api/v1/audit", headers: { authorization: `Bearer ${who.key}` } });
    expect((await read(app)).status).toBe(403);
    expect((await read(await claviger.issueKey("viewer", ["viewer"]))).status).toBe(200);
  });

  test("[W1] a change bears who, what, from where and in which request", async () => {
    const body = { name: "made", permissions: ["gateway"] };
    const made = await claviger.call({
      method: "POST",
      path: "/api/v1/keys",
      headers: as(admin, "made-1"),
      body,
    });
    const { id } = z.object({ id: z.string() }).parse(made.json);
    expect(await rowOf("made-1")).toMatchObject([
      {
        actor: admin.id,
        action: "key.create",
        target: id,
        outcome: "success",
        address: "127.0.0.1",
        count: 1,
      },
    ]);
    await claviger.control({
      method: "DELETE",
      path: `/api/v1/keys/${id}`,
      headers: { "x-request-id": "gone-1" },
    });
    expect(await rowOf("gone-1")).toMatchObject([
      { actor: "local", action: "key.revoke", target: id, outcome: "success", address: null },
    ]);
  });

  test("[W1] every refusal of a known caller is a row of its own", async () => {
    for (const id of ["denied-1", "denied-2"]) {
      const answer = await claviger.call({ path: "/api/v1/keys", headers: as(app, id) });
      expect(answer.status).toBe(403);
      expect(await rowOf(id)).toMatchObject([
        {
          actor: app.id,
          action: "keys.manage",
          target: "/api/v1/keys",
          outcome: "denied",
          address: "127.0.0.1",
          count: 1,
        },
      ]);
    }
  });

  test("[W1] [I15] reaching beyond one's own rights is a row that names what was wanted", async () => {
    const operator = await claviger.issueKey("operator", ["operator"]);
    const body = { name: "climber", permissions: ["superadmin"] };
    const call = { method: "POST", path: "/api/v1/keys", headers: as(operator, "climb-1"), body };
    expect(await claviger.call(call)).toMatchObject({ status: 403, json: { code: "exceeds_own_rights" } });
    expect(await rowOf("climb-1")).toMatchObject([
      { actor: operator.id, target: "climber", outcome: "denied" },
    ]);
  });

  test("[W1] every failed change is a row: conflict, bad body, unknown object, by key and by socket", async () => {
    const keys = (method: string, suffix = "", body?: unknown) => ({
      method,
      path: `/api/v1/keys${suffix}`,
      body,
    });
    for (const [id, status, target, call] of [
      ["fail-1", 409, "app", keys("POST", "", { name: "app", permissions: [] })],
      ["fail-2", 400, "/api/v1/keys", keys("POST", "", "{")],
      ["fail-3", 404, "key_none", keys("DELETE", "/key_none")],
      [
        "fail-4",
        415,
        "/api/v1/keys",
        { ...keys("POST", "", "x"), headers: { "content-type": "text/plain" } },
      ],
    ] as const) {
      const headers = { ...("headers" in call ? call.headers : {}), ...as(admin, id) };
      expect((await claviger.call({ ...call, headers })).status).toBe(status);
      const expected = { action: "keys.manage", target, outcome: "failure", count: 1 };
      expect(await rowOf(id)).toMatchObject([{ ...expected, actor: admin.id, address: "127.0.0.1" }]);
      await claviger.control({ ...call, headers: { ...headers, "x-request-id": `${id}-local` } });
      expect(await rowOf(`${id}-local`)).toMatchObject([{ ...expected, actor: "local", address: null }]);
    }
  });

  test("[W1] a caller who may not use the gateway is told so before his model is read, and has his row", async () => {
    const viewer = await claviger.issueKey("models-only", ["viewer"]);
    await claviger.addProvider("sim", "http://127.0.0.1:9/v1", "upstream-credential-0004");
    const body = { model: `sim/${"m".repeat(500)}`, messages: [] };
    const path = "/v1/chat/completions";
    const answer = await claviger.call({ method: "POST", path, headers: as(viewer, "model-1"), body });
    expect(answer.status).toBe(403);
    const [row] = await rowOf("model-1");
    expect(row).toMatchObject({ actor: viewer.id, action: "gateway.use", outcome: "denied" });
    expect(row?.target).toBe("/v1/chat/completions");
  });

  test("[W1] refusals of unknown callers are one row per address, route and minute, with a count", async () => {
    const before = (await page()).data[0]?.seq ?? 0;
    for (let index = 0; index < 7; index++)
      await claviger.call({ path: "/v1/models", headers: { authorization: `Bearer wrong${index}` } });
    for (let index = 0; index < 3; index++) await claviger.call({ path: `/api/v1/nothing-${index}` });
    clock.advance(60_000);
    await claviger.call({ path: "/v1/models" });
    clock.advance(60_000);
    const { data } = await page("?limit=1000");
    const fresh = data.filter((row) => row.seq > before).toReversed();
    expect(
      fresh.map(({ actor, action, target, address, outcome, request_id, count }) => [
        actor,
        action,
        target,
        address,
        outcome,
        request_id,
        count,
      ]),
    ).toEqual([
      ["anonymous", "models.read", "/v1/models", "127.0.0.1", "denied", null, 7],
      ["anonymous", "unknown", "unknown", "127.0.0.1", "denied", null, 3],
      ["anonymous", "models.read", "/v1/models", "127.0.0.1", "denied", null, 1],
    ]);
  });

  test("[W1] refused traffic neither stops nor delays a change, and none of it is lost", async () => {
    const refused = Array.from({ length: 300 }, (_, index) =>
      claviger.call({ path: "/api/v1/keys", headers: as(app, `flood-${index}`) }),
    );
    const change = claviger.issueKey("amid-the-flood");
    expect((await change).key).toMatch(/^sk-claviger-/);
    await Promise.all(refused);
    const rows = (await page("?limit=1000")).data.filter((row) => row.request_id?.startsWith("flood-"));
    expect(new Set(rows.map((row) => row.request_id)).size).toBe(300);
  });
});

test("[W1] [H5] what was refused is in the store after the end, the running minute's too", async () => {
  const server = await startClaviger({ clock: new FakeClock(), env: { REQUIRE_API_KEY: "true" } });
  const { id, key } = await server.issueKey("app");
  await server.call({ path: "/api/v1/keys", headers: { authorization: `Bearer ${key}` } });
  await server.call({ path: "/api/v1/keys" });
  await server.app.close();
  const database = new DatabaseSync(path.join(server.dataDir, "db", "data.sqlite"), {
    readOnly: true,
    timeout: 5000,
  });
  const rows = database
    .prepare("SELECT actor, outcome, count FROM audit WHERE outcome = 'denied' ORDER BY seq")
    .all();
  database.close();
  await server[Symbol.asyncDispose]();
  expect(rows).toEqual([
    expect.objectContaining({ actor: id, outcome: "denied", count: 1 }),
    expect.objectContaining({ actor: "anonymous", outcome: "denied", count: 1 }),
  ]);
});

test("[W1] where its record cannot be written a change does not happen, a revocation holds, refusals wait", async () => {
  await using server = await startClaviger({ env: { REQUIRE_API_KEY: "true" } });
  const { id, key } = await server.issueKey("app");
  const headers = { authorization: `Bearer ${key}` };
  const full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
  await changeStore(server.dataDir, full);
  const create = { method: "POST", path: "/api/v1/keys", body: { name: "unrecorded", permissions: [] } };
  expect((await server.control(create)).status).toBeGreaterThanOrEqual(500);
  expect((await server.call({ path: "/api/v1/keys", headers })).status).toBe(403);
  expect((await server.control({ method: "DELETE", path: `/api/v1/keys/${id}` })).status).toBe(507);
  expect((await server.call({ path: "/v1/models", headers })).status).toBe(401);
  // Reading waits for what is being tried.
  expect((await server.control({ path: "/api/v1/audit" })).text).not.toContain('"denied"');
  await changeStore(server.dataDir, "DROP TRIGGER full");
  expect((await server.control({ path: "/api/v1/keys" })).text).not.toContain("unrecorded");
  const { data } = pageShape.parse((await server.control({ path: "/api/v1/audit" })).json);
  expect(data.filter((row) => row.actor === id)).toMatchObject([
    { outcome: "denied", action: "keys.manage" },
  ]);
  expect((await server.control(create)).status).toBe(201);
});

describe("the access log", () => {
  test("[W2] every line is one JSON object, and fields nobody allowed do not reach it", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      sink: { write: (line) => lines.push(line) },
    });
    log.warn({ status: 200, authorization: "Bearer secret", body: { key: "secret" } }, "a request");
    log.debug("not at this level");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { level: 40, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), status: 200, msg: "a request" },
    ]);
  });

  test("[W2] has a line for every request, with the template of its route in the place of its path", async () => {
    const lineOf = (id: string): unknown =>
      JSON.parse(
        claviger
          .logged()
          .split("\n")
          .find((line) => line.includes(`"request_id":"${id}"`)) ?? "{}",
      );
    await claviger.call({ path: "/health", headers: { "x-request-id": "log-1" } });
    await claviger.call({ path: "/v1/models/secret-model?x=y", headers: as(app, "log-2") });
    await claviger.call({ path: "/unheard-of/secret", headers: { "x-request-id": "log-3" } });
    await claviger.call({ path: "/api/v1/keys", headers: as(app, "log-4") });
    await claviger.call({ path: "/health", headers: { host: "evil.example", "x-request-id": "log-5" } });
    await claviger.control({ path: "/api/v1/status", headers: { "x-request-id": "log-6" } });
    // Reading the audit gathers what other threads have noted.
    await claviger.control({ path: "/api/v1/audit" });
    const common = { listener: "local", address: "127.0.0.1", method: "GET" };
    expect(lineOf("log-1")).toMatchObject({
      ...common,
      route: "/health",
      status: 200,
      latency_ms: expect.any(Number),
    });
    expect(lineOf("log-2")).toMatchObject({
      ...common,
      route: "/v1/models/{model}",
      status: 404,
      principal: app.id,
    });
    expect(lineOf("log-3")).toMatchObject({
      address: "127.0.0.1",
      route: "unknown",
      status: 404,
      code: "not_found",
    });
    expect(lineOf("log-4")).toMatchObject({ ...common, status: 403, code: "forbidden", principal: app.id });
    expect(lineOf("log-5")).toMatchObject({ status: 421, code: "wrong_host" });
    expect(lineOf("log-6")).toMatchObject({
      listener: "control",
      address: "control",
      principal: "local",
      status: 200,
    });
    for (const text of ["secret", "x=y", "evil.example", "sk-claviger-"])
      expect(claviger.logged()).not.toContain(text);
  });
});

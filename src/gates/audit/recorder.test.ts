import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { type AuditRecorder, openAuditRecorder } from "./recorder.ts";

const ENTRY = {
  actor: "local",
  action: "provider.create",
  target: "openai",
  outcome: "success",
  address: null,
  requestId: "req_1",
  count: 1,
} as const;
const REFUSAL = {
  actor: null,
  address: "192.0.2.1",
  route: "/v1/models",
  action: "gateway.use",
  outcome: "denied",
  requestId: "req_9",
} as const;
const FIRST_PAGE = { limit: 100, cursor: undefined };

let dataDir: string;
let clock: FakeClock;
let database: Database;
let audit: AuditRecorder;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-audit-"));
  clock = new FakeClock();
  database = await openSqlite({ dataDir, clock });
  audit = openAuditRecorder({ database, clock });
});

afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

describe("the audit recorder", () => {
  it("[W1] [H5] a change is written with all its columns, numbered from 1", async () => {
    await database.transaction((query) => audit.append(query, ENTRY));
    await database.transaction((query) => audit.append(query, { ...ENTRY, target: "mistral" }));
    const { data, next_cursor } = await audit.list(FIRST_PAGE);
    expect(next_cursor).toBeNull();
    expect(data.map((row) => [row.seq, row.target])).toEqual([
      [2, "mistral"],
      [1, "openai"],
    ]);
    expect(data[1]).toEqual({
      chain: expect.stringMatching(/^chain_[0-9a-f]{16}$/),
      seq: 1,
      time: "2026-01-01T00:00:00.000Z",
      actor: "local",
      action: "provider.create",
      target: "openai",
      outcome: "success",
      address: null,
      request_id: "req_1",
      count: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("[W1] a change that fails leaves no record, and the next number is not skipped", async () => {
    const failing = database.transaction(async (query) => {
      await audit.append(query, ENTRY);
      throw new Error("no change after all");
    });
    await expect(failing).rejects.toThrow("no change after all");
    expect((await audit.list(FIRST_PAGE)).data).toEqual([]);
    await database.transaction((query) => audit.append(query, ENTRY));
    expect((await audit.list(FIRST_PAGE)).data.map((row) => row.seq)).toEqual([1]);
  });

  it("[W1] changes at the same time get different numbers", async () => {
    const changes = Array.from({ length: 20 }, () =>
      database.transaction((query) => audit.append(query, ENTRY)),
    );
    await Promise.all(changes);
    const { data } = await audit.list(FIRST_PAGE);
    expect(data.map((row) => row.seq)).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index));
  });

  it("[W1] records are neither changed nor removed", async () => {
    await database.transaction((query) => audit.append(query, ENTRY));
    await expect(database.query.updateTable("audit").set({ actor: "someone" }).execute()).rejects.toThrow();
    await expect(database.query.deleteFrom("audit").execute()).rejects.toThrow();
    expect((await audit.list(FIRST_PAGE)).data[0]?.actor).toBe("local");
  });

  it("[W1] refusals are one row per address, route and minute with a count, once the minute is over", async () => {
    for (let index = 0; index < 50; index++) audit.refusal(REFUSAL);
    audit.refusal({ ...REFUSAL, address: "192.0.2.2" });
    audit.refusal({ ...REFUSAL, route: "/v1/responses" });
    await audit.flush();
    expect((await audit.list(FIRST_PAGE)).data).toEqual([]);
    clock.advance(60_000);
    audit.refusal(REFUSAL);
    await Promise.all([audit.flush(), audit.flush()]);
    await audit.close();
    const { data } = await audit.list(FIRST_PAGE);
    expect(data.toReversed().map((row) => [row.time, row.address, row.target, row.count])).toEqual([
      ["2026-01-01T00:00:00.000Z", "192.0.2.1", "/v1/models", 50],
      ["2026-01-01T00:00:00.000Z", "192.0.2.2", "/v1/models", 1],
      ["2026-01-01T00:00:00.000Z", "192.0.2.1", "/v1/responses", 1],
      ["2026-01-01T00:01:00.000Z", "192.0.2.1", "/v1/models", 1],
    ]);
    expect(data[0]).toMatchObject({
      actor: "anonymous",
      action: "gateway.use",
      outcome: "denied",
      request_id: null,
    });
  });

  it("[W1] [H5] a refusal of a known caller is a row of its own, with who, what and which request", async () => {
    audit.refusal({ ...REFUSAL, actor: "key_1", target: "openai/gpt-5" });
    audit.refusal({
      ...REFUSAL,
      actor: "key_1",
      outcome: "failure",
      route: "/api/v1/keys",
      requestId: "req_10",
    });
    await audit.flush();
    const { data } = await audit.list(FIRST_PAGE);
    expect(data.toReversed()).toMatchObject([
      { seq: 1, actor: "key_1", target: "openai/gpt-5", outcome: "denied", request_id: "req_9", count: 1 },
      { seq: 2, actor: "key_1", target: "/api/v1/keys", outcome: "failure", request_id: "req_10", count: 1 },
    ]);
  });

  it("[W1] rows of known callers are written without a flush, soon", async () => {
    audit.refusal({ ...REFUSAL, actor: "key_1" });
    // Transactions are served in turn: this one comes behind the row's.
    await database.transaction((query) => audit.append(query, ENTRY));
    await database.transaction((query) => audit.append(query, ENTRY));
    expect((await audit.list(FIRST_PAGE)).data.map((row) => row.actor)).toContain("key_1");
  });

  it("[W1] where too many refusals of known callers wait they are counted, none is lost, and the log says so", async () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      sink: { write: (line) => lines.push(line) },
    });
    const crowded = openAuditRecorder({ database, clock, log });
    for (let index = 0; index < 12_000; index++) crowded.refusal({ ...REFUSAL, actor: "key_1" });
    await crowded.close();
    const rows = await database.query.selectFrom("audit").select(["actor", "count"]).execute();
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(12_000);
    expect(rows.every((row) => row.actor === "key_1")).toBe(true);
    expect(rows).toHaveLength(5_001);
    expect(lines.join("")).toContain('"rows":7000');
  });

  it("[W1] a change waits for one batch of refusals at most, not for the flood", async () => {
    for (let index = 0; index < 5_000; index++) audit.refusal({ ...REFUSAL, actor: "key_1" });
    await database.transaction((query) => audit.append(query, ENTRY));
    const change = await database.query
      .selectFrom("audit")
      .select("seq")
      .where("outcome", "=", "success")
      .executeTakeFirstOrThrow();
    expect(change.seq).toBeLessThanOrEqual(501);
    await audit.close();
  });

  it("[W1] what the store refuses stays noted and is written by the next flush", async () => {
    await database.query.schema.alterTable("audit").renameTo("audit_away").execute();
    audit.refusal({ ...REFUSAL, actor: "key_1" });
    await expect(audit.flush()).rejects.toThrow();
    await database.query.schema.alterTable("audit_away").renameTo("audit").execute();
    await audit.flush();
    expect((await audit.list(FIRST_PAGE)).data.map((row) => row.actor)).toEqual(["key_1"]);
  });

  it("[W1] a flood from many addresses is 10,001 rows, and none of it is uncounted", async () => {
    for (let index = 0; index < 30_000; index++) audit.refusal({ ...REFUSAL, address: `address ${index}` });
    await audit.close();
    const { count, rows } = await database.query
      .selectFrom("audit")
      .select((select) => [select.fn.sum("count").as("count"), select.fn.countAll().as("rows")])
      .executeTakeFirstOrThrow();
    expect([Number(count), Number(rows)]).toEqual([30_000, 10_001]);
  });

  it("[H5] pages go from the newest to the oldest without gap or repetition", async () => {
    for (let index = 0; index < 5; index++) await database.transaction((query) => audit.append(query, ENTRY));
    const first = await audit.list({ limit: 2, cursor: undefined });
    await database.transaction((query) => audit.append(query, ENTRY));
    const second = await audit.list({ limit: 2, cursor: first.next_cursor ?? undefined });
    const third = await audit.list({ limit: 2, cursor: second.next_cursor ?? undefined });
    expect([first, second, third].map((page) => page.data.map((row) => row.seq))).toEqual([
      [5, 4],
      [3, 2],
      [1],
    ]);
    expect(third.next_cursor).toBeNull();
    await expect(audit.list({ limit: 2, cursor: "1 OR 1=1" })).rejects.toMatchObject({ code: "bad_request" });
  });
});

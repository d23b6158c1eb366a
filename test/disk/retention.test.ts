import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { scratch, verified } from "../audit/audited-server.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { FakeClock } from "../fake-clock.ts";
import { FakeTimers } from "../fake-timers.ts";
import { requestRow } from "../request-row.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";

vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const WAIT = { timeout: 20_000, interval: 50 };
const BODY = { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
const rows = z.object({ data: z.array(z.unknown()) });
const sums = z.object({ data: z.array(z.object({ requests: z.number() })) });
const audit = z.object({ data: z.array(z.object({ action: z.string(), seq: z.number() })) });

async function startAged(dataDir: string, yaml?: string) {
  const clock = new FakeClock();
  const timers = new FakeTimers();
  const server = await startClaviger({ dataDir, clock, timers, ...(yaml === undefined ? {} : { yaml }) });
  const get = async (path: string) => (await server.control({ path })).json;
  return {
    server,
    clock,
    /** So many days pass, and the hour in which the server looks for what is old. */
    age: (days: number) => {
      clock.advance(days * DAY_MS);
      timers.advance(HOUR_MS);
    },
    requests: async () => rows.parse(await get("/api/v1/requests")).data.length,
    used: async () =>
      sums.parse(await get("/api/v1/usage?by=key&from=2026-01-01&to=2026-01-02")).data[0]?.requests ?? 0,
    audit: async () => audit.parse(await get("/api/v1/audit?limit=1000")).data,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function chats(server: TestClaviger, count: number): Promise<void> {
  for (let call = 0; call < count; call++)
    expect((await server.call({ method: "POST", path: "/v1/chat/completions", body: BODY })).status).toBe(
      200,
    );
}

test("[W5] rows of requests go after 30 days, records of the audit after 400, sums after two years, and not before", async () => {
  using place = scratch();
  const dataDir = join(place.root, "data");
  await using upstream = await startUpstream();
  {
    await using aged = await startAged(dataDir);
    const { server } = aged;
    await server.addProvider("sim", upstream.baseUrl, "a-credential");
    for (let key = 0; key < 5; key++) await server.issueKey(`old-${key}`);
    await chats(server, 3);
    expect(await aged.requests()).toBe(3);
    aged.age(29);
    await chats(server, 1);
    expect(await aged.requests()).toBe(4);
    aged.age(2);
    await vi.waitFor(async () => expect(await aged.requests()).toBe(1), WAIT);
    expect(await aged.used()).toBe(3);
    aged.age(360);
    expect(await aged.audit()).toHaveLength(6);
    await server.issueKey("young-1");
    aged.age(10);
    await vi.waitFor(async () => expect(await aged.audit()).toHaveLength(1), WAIT);
    expect(await aged.audit()).toMatchObject([{ action: "key.create" }]);
    expect(await aged.used()).toBe(3);
    await server.issueKey("young-2");
    expect(verified(dataDir)).toMatchObject({ whole: true, first: 7, rows: 2 });
    aged.age(330);
    await vi.waitFor(async () => expect(await aged.used()).toBe(0), WAIT);
    expect(server.logged()).toContain("old rows were removed");
    expect(server.logged()).not.toContain("could not be removed");
  }
  expect(verified(dataDir)).toMatchObject({ whole: true, first: 7 });
  await using again = await startAged(dataDir);
  expect((await again.audit()).map(({ action }) => action)).not.toContain("audit.break");
});

test("[W5] each is settable by days and bounded by size, the oldest first", async () => {
  using place = scratch();
  const yaml = ["request_log_max_mb: 1", "audit_days: 3", "usage_days: 62"];
  await using aged = await startAged(place.root, `settings:\n${yaml.map((line) => `  ${line}\n`).join("")}`);
  await using upstream = await startUpstream();
  await aged.server.addProvider("sim", upstream.baseUrl, "a-credential");
  await chats(aged.server, 1);
  await aged.server.issueKey("old");
  aged.age(4);
  await aged.server.issueKey("young");
  aged.age(0);
  await vi.waitFor(async () => expect(await aged.audit()).toHaveLength(1), WAIT);
  expect(await aged.used()).toBe(1);
  aged.age(60);
  await vi.waitFor(async () => expect(await aged.used()).toBe(0), WAIT);
  expect(await aged.requests()).toBe(0);
});

test("[W5] a setting that makes no sense is refused with what it must be", async () => {
  for (const [line, words] of [
    ["usage_days: 30", "usage_days must be a whole number of days from 62 to 36500"],
    ["disk_low_mb: -1", "disk_low_mb must be a whole number of megabytes from 0 to 1048576"],
  ])
    await expect(startClaviger({ yaml: `settings:\n  ${line}\n` })).rejects.toThrow(words);
});

test("[W5] a request log of more than its size loses its oldest rows, and the disk gets the room back", async () => {
  using place = scratch();
  const dataDir = join(place.root, "data");
  const store = join(dataDir, "db", "data.sqlite");
  await (await startAged(dataDir))[Symbol.asyncDispose]();
  fillRequests(store, 60_000);
  const rowBytes = statSync(store).size;
  let before = 0;
  {
    await using aged = await startAged(dataDir, "settings:\n  request_log_max_mb: 1\n");
    aged.age(0);
    // A row counts as 300 bytes, and goes once it is in the sums.
    await vi.waitFor(() => expect(numberIn(store, "SELECT summed FROM usage_progress")).toBe(60_000), WAIT);
    before = numberIn(store, "PRAGMA page_count") * numberIn(store, "PRAGMA page_size");
    aged.age(0);
    const requests = () => numberIn(store, "SELECT count(*) FROM request");
    await vi.waitFor(() => expect(requests()).toBe(Math.ceil(1_000_000 / 300)), WAIT);
    expect(aged.server.logged()).toMatch(/"name":"request","rows":\d+/);
    await vi.waitFor(() => expect(numberIn(store, "PRAGMA freelist_count")).toBeLessThanOrEqual(256), WAIT);
    const newest = z.object({ data: z.array(z.object({ request_id: z.string() })) });
    const { json } = await aged.server.control({ path: "/api/v1/requests?limit=1" });
    expect(newest.parse(json).data).toEqual([{ request_id: "req_59999" }]);
  }
  // What leads to rows of this hour stays until it is over; of the rows themselves most are gone.
  expect(statSync(store).size).toBeLessThan(before - rowBytes / 2);
});

/** Rows of the last hour before the clock's start, into the store of a server that was stopped. */
function fillRequests(store: string, count: number): void {
  using database = new DatabaseSync(store, { timeout: 5000 });
  const row = requestRow({ time: 0, request_id: "" });
  const columns = Object.keys(row);
  const insert = database.prepare(
    `INSERT INTO request (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const start = new FakeClock().now() - count;
  database.exec("BEGIN");
  for (let at = 0; at < count; at++)
    insert.run(...Object.values({ ...row, time: start + at, request_id: `req_${at}` }));
  database.exec("COMMIT");
}

function numberIn(store: string, question: string): number {
  using database = new DatabaseSync(store, { readOnly: true, timeout: 5000 });
  return Number(Object.values(database.prepare(question).get() ?? {})[0]);
}

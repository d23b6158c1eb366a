import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { Scraper } from "#test/metrics/scrape.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { listen } from "./listener.ts";

const viewerOf = async (claviger: TestClaviger) => (await claviger.issueKey("viewer", ["viewer"])).key;
const revoke = (claviger: TestClaviger, id: string) =>
  claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` });

test("[C8] /sse tells of what happens, as an event stream that nobody keeps or holds back", async () => {
  await using claviger = await startClaviger();
  const listener = await listen(claviger);
  expect(listener.answer).toMatchObject({
    statusCode: 200,
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    },
  });
  expect(listener.answer.headers["content-encoding"]).toBe(undefined);
  expect(listener.answer.headers["x-request-id"]).toMatch(/^req_/);
  expect(listener.text).toMatch(/^retry: 2000\nid: [0-9a-z]{9}-[0-9a-z]{8}\n\n$/);
  const { id } = await claviger.issueKey("dev");
  await revoke(claviger, id);
  const events = await listener.count(2);
  expect(events).toMatchObject([
    { type: "key.created", data: { id, name: "dev" } },
    { type: "key.revoked", data: { id, name: "dev" } },
  ]);
  expect(events[0]?.data).toEqual({ time: expect.stringMatching(/^\d{4}-.*Z$/), id, name: "dev" });
  expect(String(events[1]?.id) > String(events[0]?.id)).toBe(true);
});

test("[C8] whoever is cut off at any moment and comes back with the last id reads every event once", async () => {
  await using claviger = await startClaviger();
  const random = seededRandom(11);
  const names = Array.from({ length: 60 }, (_, at) => `app-${at}`);
  const read: unknown[] = [];
  let listener = await listen(claviger, { query: "?types=key" });
  for (const name of names) {
    await claviger.issueKey(name);
    if ((random.bytes(1)[0] ?? 0) % 3 !== 0) continue;
    const { events, lastId } = listener;
    listener.cut();
    read.push(...events.map(({ data }) => data.name));
    // Something happens while nobody listens, too.
    if ((random.bytes(1)[0] ?? 0) % 2 === 0) await claviger.issueKey(`${name}-alone`);
    listener = await listen(claviger, { from: lastId, query: "?types=key" });
  }
  await claviger.issueKey("last");
  await listener.until(() => listener.events.at(-1)?.data.name === "last");
  read.push(...listener.events.map(({ data }) => data.name));
  expect(read).toEqual(read.filter((name) => typeof name === "string"));
  expect(new Set(read).size).toBe(read.length);
  const { json } = await claviger.control({ path: "/api/v1/keys?limit=1000" });
  expect(JSON.stringify(json).match(/"name":/g)).toHaveLength(read.length);
});

test("[C8] who comes back with an id that is none, or of a run before, is told to read afresh and goes on from there", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-events-"));
  const clock = new FakeClock();
  const dataDir = directory.path;
  let before = "";
  {
    await using claviger = await startClaviger({ dataDir, clock });
    const listener = await listen(claviger);
    await claviger.issueKey("one");
    before = (await listener.count(1))[0]?.id ?? "";
  }
  // The clock stands still between the two, and the ids increase all the same.
  await using claviger = await startClaviger({ dataDir, clock });
  for (const from of [before, "nonsense", ""]) {
    const listener = await listen(claviger, { from });
    await claviger.issueKey(`after-${from.slice(0, 3)}`);
    const [reset, created] = await listener.count(2);
    expect(reset).toMatchObject({ type: "reset", data: { reason: "unknown_id" } });
    expect(created).toMatchObject({ type: "key.created" });
    expect(String(reset?.id) > before && String(created?.id) > String(reset?.id)).toBe(true);
    const again = await listen(claviger, { from: String(reset?.id) });
    expect(await again.count(1)).toEqual([created]);
  }
});

test("[C8] the id is taken from its header alone", async () => {
  await using claviger = await startClaviger();
  const refused = await claviger.control({ path: "/sse?last_event_id=1" });
  expect(refused).toMatchObject({ status: 400, json: { code: "unknown_field" } });
});

test("[C8] while nothing happens there is a heartbeat every 15 seconds", async () => {
  const clock = new FakeClock();
  await using claviger = await startClaviger({ clock });
  const listener = await listen(claviger);
  const beats = () => listener.text.split(": heartbeat\n").length - 1;
  clock.advance(14_999);
  // Whoever came 14,999 ms later is looked at in the same turn: his first beat comes no earlier than this one's.
  const later = await listen(claviger);
  clock.advance(1);
  await listener.until(() => beats() === 1);
  expect(later.text).not.toContain("heartbeat");
  clock.advance(15_000);
  await listener.until(() => beats() === 2);
  expect(listener.events).toEqual([]);
});

test("[C8] [S9] on lock the last event is seal.locked, then it closes, and then /sse is 503", async () => {
  await using claviger = await startClaviger();
  const viewer = await viewerOf(claviger);
  const listeners = [await listen(claviger), await listen(claviger, { key: viewer })];
  const lockedAt = performance.now();
  void claviger.app.seal.close();
  for (const listener of listeners) {
    expect(await listener.end()).toMatch(
      /\nevent: seal\.locked\ndata: \{"time":"[^"]*"\}\n\n: the server is locked\n\n$/,
    );
    expect(listener.ended).toBe("whole");
  }
  expect(performance.now() - lockedAt).toBeLessThan(1000);
  const refused = await claviger.call({ path: "/sse", headers: { authorization: `Bearer ${viewer}` } });
  expect(refused).toMatchObject({ status: 503, json: { code: "server_locked" } });
  expect(refused.headers["x-claviger-locked"]).toBe("true");
});

test("[I11] when a key is revoked its streams end within a second, and nobody else's", async () => {
  await using claviger = await startClaviger();
  const { id, key } = await claviger.issueKey("viewer", ["operator"]);
  const [own, other] = [await listen(claviger, { key }), await listen(claviger)];
  const revokedAt = performance.now();
  await revoke(claviger, id);
  expect(await own.end()).toMatch(/\n\n: no longer permitted\n\n$/);
  expect(performance.now() - revokedAt).toBeLessThan(1000);
  expect(own.events).toEqual([]);
  expect(await other.count(1)).toMatchObject([{ type: "key.revoked", data: { id } }]);
  expect(other.ended).toBe(undefined);
});

test("[C8] a stop ends every stream at once, whatever time running requests are given", async () => {
  const claviger = await startClaviger({ yaml: "settings:\n  drain_timeout_ms: 60000\n" });
  const listener = await listen(claviger, { key: await viewerOf(claviger) });
  await claviger[Symbol.asyncDispose]();
  expect(await listener.end()).toMatch(/\n\n: the server stops\n\n$/);
  expect(listener.ended).toBe("whole");
});

test("[A5] [A3] [A10] it wants a credential with events.read, and no page of another origin reads it", async () => {
  await using claviger = await startClaviger();
  const gateway = (await claviger.issueKey("app")).key;
  const route = claviger.app.routes().filter(({ path }) => path === "/sse");
  expect(route).toMatchObject([
    { method: "GET", contract: { action: "events.read", openWhileLocked: false } },
  ]);
  const sse = (headers = {}) => claviger.call({ path: "/sse", headers });
  const stranger = await sse();
  expect(stranger).toMatchObject({ status: 401, json: { code: "invalid_token" } });
  expect(stranger.headers["www-authenticate"]).toBe('Bearer realm="claviger", error="invalid_token"');
  expect(await sse({ authorization: "Bearer nobody" })).toMatchObject({ status: 401 });
  expect(await sse({ authorization: `Bearer ${gateway}` })).toMatchObject({ status: 403 });
  expect(await sse({ origin: "https://elsewhere.example" })).toMatchObject({
    status: 403,
    json: { code: "cross_origin" },
  });
  const inUrl = await claviger.call({ path: `/sse?api_key=${gateway}` });
  expect(inUrl.status).toBe(401);
});

test("[C8] one sees what happens to keys that he may manage, usage with usage.read, the rest with events.read alone", async () => {
  await using claviger = await startClaviger();
  const viewer = await listen(claviger, { key: await viewerOf(claviger) });
  const operator = await listen(claviger, { key: (await claviger.issueKey("operator", ["operator"])).key });
  await claviger.issueKey("dev");
  void claviger.app.seal.close();
  await Promise.all([viewer.end(), operator.end()]);
  expect(viewer.events.map(({ type }) => type)).toEqual(["seal.locked"]);
  expect(operator.events.map(({ type }) => type)).toEqual(["key.created", "seal.locked"]);
});

test("[C8] types= gives those types alone, by whole name or by what stands before the dot", async () => {
  await using claviger = await startClaviger();
  const seal = await listen(claviger, { query: "?types=seal,usage" });
  const revoked = await listen(claviger, { query: "?types=key.revoked,seal.locked" });
  await revoke(claviger, (await claviger.issueKey("dev")).id);
  void claviger.app.seal.close();
  await Promise.all([seal.end(), revoked.end()]);
  expect(seal.events.map(({ type }) => type)).toEqual(["seal.locked"]);
  expect(revoked.events.map(({ type }) => type)).toEqual(["key.revoked", "seal.locked"]);
});

test("[C8] any other name of a type is 400", async () => {
  await using claviger = await startClaviger();
  for (const types of ["", "nothing", "key,", "key.", "key.creat", "Key", "*"]) {
    const answer = await claviger.control({ path: `/sse?types=${types}` });
    expect(answer, types).toMatchObject({ status: 400, json: { code: "bad_request" } });
  }
});

test("[C8] one principal has 32 streams at most, and a place again when one of them ends", async () => {
  await using claviger = await startClaviger();
  const key = await viewerOf(claviger);
  const streams = await Promise.all(Array.from({ length: 32 }, () => listen(claviger, { key })));
  expect(streams.map(({ answer }) => answer.statusCode)).toEqual(streams.map(() => 200));
  const refused = await listen(claviger, { key });
  expect(refused.answer.statusCode).toBe(429);
  expect(refused.answer.headers["retry-after"]).toBe("5");
  expect((await listen(claviger)).answer.statusCode).toBe(200);
  streams[0]?.cut();
  for (;;) if ((await listen(claviger, { key })).answer.statusCode === 200) break;
});

test("[W3] metrics tell how many listen, and what was published", async () => {
  await using claviger = await startClaviger();
  const scraper = new Scraper(claviger, await viewerOf(claviger));
  const listeners = [await listen(claviger), await listen(claviger)];
  await claviger.issueKey("dev");
  const reading = await scraper.read();
  expect(reading.value("claviger_event_subscribers")).toBe(2);
  expect(reading.value("claviger_events_published_total", { type: "key.created" })).toBe(2);
  for (const listener of listeners) listener.cut();
  await scraper.until((now) => now.value("claviger_event_subscribers") === 0);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { FakeClock } from "../fake-clock.ts";
import { type Bench, chat, startBench } from "../gateway/bench.ts";
import { bearing, keyCalls } from "./key-calls.ts";

let claviger: TestClaviger;
let keys: ReturnType<typeof keyCalls>;
const clock = new FakeClock();
const models = async (key: string) =>
  (await claviger.call({ path: "/v1/models", headers: bearing(key) })).status;
const row = z.looseObject({
  name: z.string(),
  expires_at: z.string().nullable(),
  replaced_by: z.string().nullable(),
});
const shown = async (id: string) => row.parse((await keys.show(id)).json);

beforeAll(async () => {
  claviger = await startClaviger({ clock });
  keys = keyCalls(claviger);
});
afterAll(() => claviger[Symbol.asyncDispose]());

test("[I12] [H3] the successor has name and grant, the old one another name and an end, and each names the other", async () => {
  const terms = {
    permissions: ["gateway"],
    limits: { concurrency: 9 },
    models: ["sim/*"],
    allowed_ips: ["127.0.0.0/8"],
  };
  const old = await keys.created("web", { ...terms, expires_at: "2026-06-01T00:00:00.000Z" });
  const next = await keys.rotated(old.id, "24h");
  expect(next).toMatchObject({
    ...terms,
    name: "web",
    expires_at: "2026-06-01T00:00:00.000Z",
    replaces: old.id,
  });
  expect(next.id).not.toBe(old.id);
  expect(next.key).not.toBe(old.key);
  expect(await shown(old.id)).toMatchObject({
    name: "web-until-20260102T000000Z",
    expires_at: "2026-01-02T00:00:00.000Z",
    replaced_by: next.id,
    revoked_at: null,
  });
  expect([await models(old.key), await models(next.key)]).toEqual([200, 200]);
  expect((await keys.show(next.id)).text).not.toContain(next.key.slice(25));
});

test.each([
  ["0", 0],
  ["0s", 0],
  ["1m", 60_000],
  ["15m", 900_000],
  ["1h", 3_600_000],
  ["7d", 604_800_000],
])("[H3] an overlap of %s", async (overlap, ms) => {
  const old = await keys.created(`for-${overlap}`);
  const next = await keys.rotated(old.id, overlap);
  expect((await shown(old.id)).expires_at).toBe(new Date(clock.now() + ms).toISOString());
  expect([await models(old.key), await models(next.key)]).toEqual([ms === 0 ? 401 : 200, 200]);
  if (ms > 0) clock.advance(ms - 1);
  expect(await models(old.key)).toBe(ms === 0 ? 401 : 200);
  if (ms > 0) clock.advance(1);
  expect([await models(old.key), await models(next.key)]).toEqual([401, 200]);
});

test.each([
  undefined,
  null,
  5,
  "",
  "-1h",
  "24",
  "1w",
  "91d",
  "1.5h",
  "99999999d",
])("[H3] an overlap of %j is a 400, and nothing was changed", async (overlap) => {
  const { id } = await keys.created("steady");
  expect((await keys.rotate(id, overlap)).status).toBe(400);
  expect(await shown(id)).toMatchObject({ name: "steady", expires_at: null, replaced_by: null });
  await keys.revoke(id);
});

test("[I12] the old key never lives longer than it would have", async () => {
  const end = new Date(clock.now() + 60_000).toISOString();
  const old = await keys.created("short", { expires_at: end });
  await keys.rotated(old.id, "7d");
  expect((await shown(old.id)).expires_at).toBe(end);
});

test("[I12] of many who rotate one key at once, one does; the others, and all later, are 409", async () => {
  const old = await keys.created("wanted");
  const answers = await Promise.all(Array.from({ length: 8 }, () => keys.rotate(old.id, "1h")));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(7).fill(409)]);
  const { replaced_by: next } = await shown(old.id);
  const again = await keys.rotate(old.id, "1h");
  expect([again.status, again.text]).toEqual([409, expect.stringContaining(next ?? "nobody")]);
  expect((await keys.rotate(next ?? "", "1h")).status).toBe(201);
});

test("[I12] a revoked or unknown key is 404, an expired one 409", async () => {
  const revoked = await keys.created("gone");
  await keys.revoke(revoked.id);
  const expired = await keys.created("over", { expires_at: new Date(clock.now() + 1000).toISOString() });
  clock.advance(1000);
  const statuses = [revoked.id, "key_000000000000", expired.id].map(
    async (id) => (await keys.rotate(id, "0")).status,
  );
  expect(await Promise.all(statuses)).toEqual([404, 404, 409]);
});

test("[I12] names stay apart and short, however often and fast one rotates", async () => {
  const name = "n".repeat(63);
  let { id } = await keys.created(name);
  const ids = [id];
  for (let turn = 0; turn < 12; turn++) {
    id = (await keys.rotated(id, "1h")).id;
    ids.push(id);
  }
  const names = await Promise.all(ids.map(async (one) => (await shown(one)).name));
  expect(new Set(names).size).toBe(13);
  expect(names.filter((one) => one.length > 63)).toEqual([]);
  expect(names.at(-1)).toBe(name);
});

test("[I12] revoking the old one during the overlap leaves the new one as it is", async () => {
  const old = await keys.created("early");
  const next = await keys.rotated(old.id, "24h");
  expect((await keys.revoke(old.id)).status).toBe(204);
  expect([await models(old.key), await models(next.key)]).toEqual([401, 200]);
});

test("[I12] the list says when and from where the old key was used last", async () => {
  const old = await keys.created("watched");
  await keys.rotated(old.id, "24h");
  clock.advance(5000);
  expect(await shown(old.id)).toMatchObject({ last_used_at: null, last_address: null });
  await models(old.key);
  expect(await shown(old.id)).toMatchObject({
    last_used_at: new Date(clock.now()).toISOString(),
    last_address: "127.0.0.1",
  });
});

test("[I12] [I14] old and new are limited as one, in the minute, the day and after a restart", async () => {
  const time = new FakeClock();
  const stack = new AsyncDisposableStack();
  await using _all = stack;
  const bench: Bench = stack.use(await startBench({ clock: time }));
  const own = keyCalls(bench.claviger);
  const ask = async (server: TestClaviger, key: string) => {
    const call = {
      method: "POST",
      path: "/v1/chat/completions",
      headers: bearing(key),
      body: chat({ max_tokens: 5 }),
    };
    return (await server.call(call)).status;
  };
  const old = await own.created("limited", { limits: { requests_per_minute: 2 } });
  expect(await ask(bench.claviger, old.key)).toBe(200);
  const next = await own.rotated(old.id, "24h");
  expect(await ask(bench.claviger, next.key)).toBe(200);
  expect([await ask(bench.claviger, old.key), await ask(bench.claviger, next.key)]).toEqual([429, 429]);

  const spent = await own.created("spent", { limits: { tokens_per_day: 1 } });
  const heir = await own.rotated((await own.rotated(spent.id, "24h")).id, "24h");
  expect(await ask(bench.claviger, spent.key)).toBe(200);
  expect(await ask(bench.claviger, heir.key)).toBe(429);
  await bench.claviger.app.close();
  const again = stack.use(await startClaviger({ clock: time, dataDir: bench.claviger.dataDir }));
  expect(await ask(again, heir.key)).toBe(429);
  time.advance(86_400_000);
  expect(await ask(again, heir.key)).toBe(200);
});

test("[I14] [H3] a limit of the day that comes later counts what was used before, of all keys of a rotation, once", async () => {
  const time = new FakeClock();
  await using bench = await startBench({ clock: time });
  const own = keyCalls(bench.claviger);
  const ask = async (key: string) => {
    const call = {
      method: "POST",
      path: "/v1/chat/completions",
      headers: bearing(key),
      body: chat({ max_tokens: 5 }),
    };
    return (await bench.claviger.call(call)).status;
  };
  const old = await own.created("late");
  expect(await ask(old.key)).toBe(200);
  const next = await own.rotated(old.id, "24h");
  expect(await ask(next.key)).toBe(200);
  const used = z
    .object({ data: z.array(z.object({ input_tokens: z.number(), output_tokens: z.number() })) })
    .parse((await bench.claviger.control({ path: "/api/v1/requests" })).json)
    .data.reduce((sum, row) => sum + row.input_tokens + row.output_tokens, 0);
  expect(used).toBeGreaterThan(0);
  for (let turn = 0; turn < 3; turn++) {
    await own.update(next.id, { limits: { tokens_per_day: used } });
    expect(await ask(next.key)).toBe(429);
    await own.update(next.id, { limits: null });
  }
  await own.update(next.id, { limits: { tokens_per_day: used + 1 } });
  expect(await ask(next.key)).toBe(200);
  expect(await ask(next.key)).toBe(429);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { FakeClock } from "../fake-clock.ts";
import { bearing, keyCalls } from "./key-calls.ts";

let claviger: TestClaviger;
let keys: ReturnType<typeof keyCalls>;
const clock = new FakeClock();
const day = (from: number) => new Date(clock.now() + from * 86_400_000).toISOString();

beforeAll(async () => {
  claviger = await startClaviger({ clock });
  keys = keyCalls(claviger);
});
afterAll(() => claviger[Symbol.asyncDispose]());

const WRONG_TERMS: readonly [string, object, string, string][] = [
  ["an expiry in the past", { expires_at: "2025-12-31T23:59:59Z" }, "bad_request", "in the past"],
  ["an expiry that is now", { expires_at: "2026-01-01T00:00:00Z" }, "bad_request", "in the past"],
  ["an expiry that is no time", { expires_at: "tomorrow" }, "bad_request", "expires_at"],
  ["an expiry without a zone", { expires_at: "2026-02-01T00:00:00" }, "bad_request", "expires_at"],
  ["an expiry nobody sees", { expires_at: "2107-01-01T00:00:00Z" }, "bad_request", "2106"],
  ["an address that is none", { allowed_ips: ["10.0.0.1", "10.0.0.256"] }, "bad_request", "10.0.0.256"],
  ["a range too narrow", { allowed_ips: ["10.0.0.0/33"] }, "bad_request", "10.0.0.0/33"],
  ["no addresses", { allowed_ips: [] }, "bad_request", "allowed_ips"],
  ["models that are no list", { models: "sim/*" }, "bad_request", "models"],
  ["a model without a name", { models: [""] }, "bad_request", "models"],
  ["a set that does not exist", { permissions: ["gatewya"] }, "bad_request", "gateway"],
  ["a field nobody knows", { colour: "red" }, "unknown_field", "colour"],
  ["a limit nobody knows", { limits: { colour: 1 } }, "unknown_field", "colour"],
];

describe("a key as it is made", () => {
  test("[H3] GET shows it with all its terms, and never its text", async () => {
    const terms = {
      models: ["sim/*", "x/search"],
      allowed_ips: ["10.0.0.0/8"],
      expires_at: "2026-02-01T01:00:00.5+01:00",
    };
    const { key, ...row } = await keys.created("whole", terms);
    expect(row).toMatchObject({ ...terms, expires_at: "2026-02-01T00:00:00.500Z", source: "store" });
    const shown = await keys.show(row.id);
    expect([shown.status, shown.json]).toEqual([200, row]);
    expect(shown.text).not.toContain(key.slice(25));
    expect((await keys.named("whole")).json).toEqual({ data: [row], next_cursor: null });
    expect((await keys.named("nobody")).json).toEqual({ data: [], next_cursor: null });
    expect((await keys.show("key_000000000000")).status).toBe(404);
  });

  test.each(WRONG_TERMS)("[H3] %s is refused, and there is no key", async (_what, terms, code, words) => {
    const answer = await keys.create("refused", terms);
    expect([answer.status, answer.json]).toMatchObject([400, { code }]);
    expect(answer.text).toContain(words);
    expect((await keys.named("refused")).json).toMatchObject({ data: [] });
  });
});

describe("a key that is changed", () => {
  test("[H3] what is absent stays, null removes, limits each by itself", async () => {
    const { id } = await keys.created("parts", { limits: { concurrency: 3, requests_per_minute: 9 } });
    const steps: readonly [object, object][] = [
      [{}, { name: "parts", limits: { concurrency: 3, requests_per_minute: 9 }, models: null }],
      [{ models: ["a/*"] }, { models: ["a/*"], allowed_ips: null, expires_at: null }],
      [
        { expires_at: day(1), allowed_ips: ["::1"] },
        { models: ["a/*"], allowed_ips: ["::1"], expires_at: day(1) },
      ],
      [
        { limits: { concurrency: null, tokens_per_day: 5 } },
        { limits: { requests_per_minute: 9, tokens_per_day: 5 } },
      ],
      [
        { name: "renamed", permissions: ["viewer"] },
        { name: "renamed", permissions: ["viewer"] },
      ],
      [
        { models: null, expires_at: null, allowed_ips: null },
        { models: null, expires_at: null, allowed_ips: null },
      ],
      [{ limits: null }, { limits: {} }],
    ];
    for (const [change, expected] of steps) {
      const answer = await keys.update(id, change);
      expect(answer).toMatchObject({ status: 200, json: expected });
      expect((await keys.show(id)).json).toEqual(answer.json);
    }
  });

  test.each(WRONG_TERMS)("[H3] %s changes nothing", async (_what, change, code, words) => {
    const { id } = await keys.created("steady", { limits: { concurrency: 3 } });
    const before = (await keys.show(id)).text;
    const answer = await keys.update(id, { models: ["a"], ...change });
    expect([answer.status, answer.json]).toMatchObject([400, { code }]);
    expect(answer.text).toContain(words);
    expect((await keys.show(id)).text).toBe(before);
    await keys.revoke(id);
  });

  test("[H3] a name taken is 409, its own is not; a revoked or unknown key is 404", async () => {
    const [one, two] = [await keys.created("one"), await keys.created("two")];
    expect(await keys.update(one.id, { name: "two" })).toMatchObject({
      status: 409,
      json: { code: "conflict" },
    });
    expect((await keys.update(one.id, { name: "one" })).status).toBe(200);
    await keys.revoke(two.id);
    expect((await keys.update(one.id, { name: "two" })).status).toBe(200);
    expect((await keys.update(two.id, { models: null })).status).toBe(404);
    expect((await keys.update("key_000000000000", { models: null })).status).toBe(404);
  });

  test("[H3] what was changed is so after a restart", async () => {
    const time = new FakeClock();
    await using first = await startClaviger({ clock: time });
    const own = keyCalls(first);
    const { id } = await own.created("kept");
    const change = { models: ["a"], allowed_ips: ["127.0.0.1"], expires_at: "2026-01-02T00:00:00.250Z" };
    await own.update(id, change);
    await first.app.close();
    await using again = await startClaviger({ clock: time, dataDir: first.dataDir });
    expect((await keyCalls(again).show(id)).json).toMatchObject(change);
  });

  test("[A3] [H3] after a restart a key is held to its end and its addresses, also where nothing is", async () => {
    const time = new FakeClock();
    await using first = await startClaviger({ clock: time });
    const own = keyCalls(first);
    const short = await own.created("short", { expires_at: "2026-01-02T00:00:00.250Z" });
    const away = await own.created("away", { allowed_ips: ["192.0.2.0/24"] });
    await first.app.close();
    await using again = await startClaviger({ clock: time, dataDir: first.dataDir });
    const statuses = async ({ key }: { key: string }) => {
      const headers = bearing(key);
      const answers = ["/v1/models", "/v1/nothing"].map((path) => again.call({ path, headers }));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect([await statuses(short), await statuses(away)]).toEqual([
      [200, 404],
      [401, 401],
    ]);
    time.advance(24 * 60 * 60_000 + 249);
    expect(await statuses(short)).toEqual([200, 404]);
    time.advance(1);
    expect(await statuses(short)).toEqual([401, 401]);
  });
});

describe("rights", () => {
  test("[I15] a change of a key beyond the caller's rights, or of a key that is mightier, is refused; revoking is not", async () => {
    const { key: operator } = await keys.created("op", { permissions: ["operator"] });
    const mighty = await keys.created("mighty", { permissions: ["superadmin"] });
    const small = await keys.created("small", { permissions: ["viewer"] });
    const as = keyCalls(claviger, operator);
    const refused = { status: 403, json: { code: "exceeds_own_rights" } };
    expect(await as.update(small.id, { permissions: ["superadmin"] })).toMatchObject(refused);
    for (const change of [
      { name: "taken-over" },
      { permissions: [] },
      { models: ["a"] },
      { expires_at: day(1) },
    ])
      expect(await as.update(mighty.id, change)).toMatchObject(refused);
    expect(await as.rotate(mighty.id, "0")).toMatchObject(refused);
    expect((await keys.show(mighty.id)).json).toMatchObject({
      name: "mighty",
      replaced_by: null,
      models: null,
    });
    expect((await as.update(small.id, { permissions: ["operator"] })).status).toBe(200);
    expect((await as.rotate(small.id, "0")).status).toBe(201);
    expect((await as.revoke(mighty.id)).status).toBe(204);
  });

  test("[I15] who is for some models hands out no others", async () => {
    const { key } = await keys.created("narrow", { permissions: ["operator"], models: ["sim/*"] });
    const wide = await keys.created("wide");
    const as = keyCalls(claviger, key);
    const refused = { status: 403, json: { code: "exceeds_own_rights" } };
    for (const terms of [{}, { models: ["*"] }, { models: ["sim/a", "other/b"] }])
      expect(await as.create("more", terms)).toMatchObject(refused);
    expect(await as.update(wide.id, { models: ["sim/a"] })).toMatchObject(refused);
    expect(await as.rotate(wide.id, "0")).toMatchObject(refused);
    const { id } = await as.created("fewer", { models: ["sim/a", "sim/b*"] });
    expect(await as.update(id, { models: null })).toMatchObject(refused);
    expect((await as.update(id, { models: ["sim/*"] })).status).toBe(200);
  });
});

import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Call, send, startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { Reading } from "./scrape.ts";

const ERRORS = "claviger_errors_total";

async function metrics(server: Awaited<ReturnType<typeof startClaviger>>): Promise<Reading> {
  return new Reading((await server.control({ path: "/metrics" })).text);
}

test.each([
  1, 2,
])("[W3] limits that are hit are counted, of keys, of their tokens and of addresses, with %i threads", async (workers) => {
  await using upstream = await startUpstream();
  await using server = await startClaviger({ clock: new FakeClock(), workers });
  await server.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  const told: string[] = [];
  const ask = async (key: string, call: Call = { path: "/v1/models" }) => {
    const { status, json } = await server.call({ ...call, headers: { authorization: `Bearer ${key}` } });
    if (status === 429) told.push(String(Object(Object(json).error).code));
    return status;
  };
  const counts = (from: readonly string[]) =>
    ["rate_limited", "quota_exhausted"].map((code) => from.filter((each) => each === code).length);
  const counted = () =>
    expect
      .poll(async () => {
        const now = await metrics(server);
        return ["rate_limited", "quota_exhausted"].map((code) => now.value(ERRORS, { code }));
      })
      .toEqual(counts(told));
  const slow = await server.issueKey("slow", ["gateway"], { requests_per_minute: 2 });
  for (let asked = 0; asked < 5; asked++) await ask(slow.key);
  expect(counts(told)).toEqual([3, 0]);
  await counted();
  const poor = await server.issueKey("poor", ["gateway"], { tokens_per_day: 5 });
  const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [], max_tokens: 2 };
  const chat = { method: "POST", path: "/v1/chat/completions", body };
  expect(await ask(poor.key, chat)).toBe(200);
  while (!told.includes("quota_exhausted")) await ask(poor.key, chat);
  await counted();
  const before = counts(told)[0] ?? 0;
  for (let asked = 0; asked < 62; asked++) await ask("nobody's");
  expect(counts(told)[0]).toBe(before + 2);
  await counted();
});

test("[W3] a 429 that is the upstream's own is no limit of this server", async () => {
  await using upstream = await startUpstream();
  await using server = await startClaviger({ clock: new FakeClock() });
  await server.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  upstream.behave({ kind: "error", status: 429 });
  const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [] };
  expect((await server.call({ method: "POST", path: "/v1/chat/completions", body })).status).toBe(429);
  const now = await metrics(server);
  expect(now.value(ERRORS, { code: "rate_limited" })).toBe(0);
  expect(
    now.value("claviger_upstream_results_total", { provider: "sim", result: "rate_limited" }),
  ).toBeGreaterThan(0);
});

test("[W3] [I5] listeners whose authentication is off are counted, also as the file is changed", async () => {
  const listener = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0" };
  const text = (...open: readonly string[]) => {
    const off = open.map((name) => [name, { ...listener, auth: null }] as const);
    return JSON.stringify({
      resources: { closed: { ...listener, auth: ["keys"] }, ...Object.fromEntries(off) },
    });
  };
  await using server = await startClaviger({ listen: [], yaml: text("one") });
  const off = async () => (await metrics(server)).value("claviger_auth_off_listeners");
  expect(await off()).toBe(1);
  const ask = async (url: string) => {
    const { hostname: host, port } = new URL(url);
    return (await send({ host, port }, { path: "/v1/models" })).status;
  };
  expect((await Promise.all(server.app.urls.map(ask))).toSorted()).toEqual([200, 401]);
  for (const open of [["one", "two"], []]) {
    writeFileSync(path.join(server.dataDir, "given.yaml"), text(...open));
    const reloaded = await server.control({ method: "POST", path: "/api/v1/config/reload" });
    expect(reloaded.status, reloaded.text).toBe(200);
    expect(await off()).toBe(open.length);
  }
});

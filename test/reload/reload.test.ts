import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { newPair, reportOf, startFileBench } from "./file.ts";
import { reloadUnderLoad } from "./under-load.ts";

const listener = (auth: readonly string[], at = "127.0.0.1:0") => ({
  resource_type: "HttpServer",
  listen_addr: at,
  auth,
});
const identity = (hash: string, permissions: unknown = "gateway") => ({
  resource_type: "Identity",
  credential: { api_key: hash },
  permissions,
});

test.each([
  1, 2,
])("[I13] [I12] [I11] a reload lets in who is new, and refuses who is gone on the next request, with %i threads", async (workers) => {
  const [old, next] = [newPair(), newPair()];
  await using bench = await startFileBench(
    (sim) => ({ sim, old: identity(old.hash), main: listener(["old"]) }),
    { workers },
  );
  const { provider } = bench;
  expect([await bench.chat(old.key), await bench.chat(next.key)]).toEqual([200, 401]);
  bench.write({
    sim: provider,
    old: identity(old.hash),
    next: identity(next.hash),
    main: listener(["old", "next"]),
  });
  expect((await bench.reload()).status).toBe(200);
  expect([await bench.chat(old.key), await bench.chat(next.key)]).toEqual([200, 200]);
  bench.write({ sim: provider, next: identity(next.hash), main: listener(["next"]) });
  expect((await bench.reload()).status).toBe(200);
  for (let turn = 0; turn < 8; turn += 1) expect(await bench.chat(old.key)).toBe(401);
  expect(await bench.chat(next.key)).toBe(200);
  expect((await bench.claviger.control({ path: "/api/v1/audit" })).text).toContain(
    '"action":"config.reload"',
  );
});

test("[I13] [I2] permission sets, providers and settings of listeners are another after it", async () => {
  const app = newPair();
  const sets = { app: identity(app.hash, "some"), main: listener(["app", "keys"]) };
  await using bench = await startFileBench((sim) => ({
    sim,
    ...sets,
    some: { resource_type: "PermissionSet", allow: ["gateway.use"] },
  }));
  const issued = (await bench.claviger.issueKey("issued", ["some"])).key;
  expect([await bench.chat(app.key), await bench.chat(issued)]).toEqual([200, 200]);
  bench.write({
    sim: bench.provider,
    ...sets,
    some: { resource_type: "PermissionSet", allow: ["usage.read"] },
  });
  await bench.reload();
  expect([await bench.chat(app.key), await bench.chat(issued)]).toEqual([403, 403]);
  bench.write({ ...sets, some: { resource_type: "PermissionSet", permissions: "full" } });
  await bench.reload();
  expect(await bench.chat(app.key)).toBe(404);
  bench.write(
    { ...sets, some: { resource_type: "PermissionSet", permissions: "full" } },
    { drain_timeout_ms: 5 },
  );
  expect(reportOf(await bench.reload()).restart_needed).toEqual(["drain_timeout_ms"]);
});

test("[I13] [N6] a broken file changes nothing and says why, with its places", async () => {
  const app = newPair();
  const good = { app: identity(app.hash), main: listener(["app"]) };
  await using bench = await startFileBench((sim) => ({ sim, ...good }));
  const before = bench.claviger.app.urls;
  bench.write({ app: identity(app.hash, "gatway"), main: listener(["ap"]) });
  const refused = await bench.reload();
  expect(refused.status).toBe(422);
  expect(refused.text).toContain("config_refused");
  expect(refused.text).toMatch(/given\.yaml:\d+:\d+: .*gatway.*did you mean/i);
  expect(refused.text).not.toContain(bench.claviger.dataDir);
  expect(await bench.chat(app.key)).toBe(200);
  expect(bench.claviger.app.urls).toEqual(before);
  // An address that cannot be had: the providers that were taken before it are given back.
  const taken = new URL(before[0] ?? "").host;
  bench.write({ ...good, other: listener(["app"], taken) });
  expect((await bench.reload()).status).toBe(422);
  expect(await bench.chat(app.key)).toBe(200);
});

test("[I13] without the right to change settings nobody reloads", async () => {
  await using bench = await startFileBench((sim) => ({ sim, main: listener(["keys"]) }));
  const { key } = await bench.claviger.issueKey("operator", ["operator"]);
  const call = { method: "POST", path: "/api/v1/config/reload", headers: { authorization: `Bearer ${key}` } };
  expect((await bench.claviger.call(call)).status).toBe(403);
});

test("[I13] a file that is saved is reloaded without being asked", async () => {
  const [old, next] = [newPair(), newPair()];
  await using bench = await startFileBench((sim) => ({
    sim,
    old: identity(old.hash),
    main: listener(["old"]),
  }));
  bench.write({ sim: bench.provider, next: identity(next.hash), main: listener(["next"]) });
  while (!bench.claviger.logged().includes("the configuration was reloaded")) await nextTurn();
  expect(await bench.chat(next.key)).toBe(200);
  expect(await bench.chat(old.key)).toBe(401);
});

test("[I13] reloads under load: listeners that stay drop nothing", async () => {
  const { failed, asked } = await reloadUnderLoad(100);
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(20);
});

test("[I13] a reload names every setting that changed and needs a restart, until it is as at the start again", async () => {
  await using bench = await startFileBench(() => ({}), { listen: ["127.0.0.1:0"] });
  const changed = {
    log_level: "warn",
    enable_request_logs: true,
    require_api_key: true,
    trusted_proxies: ["192.0.2.1"],
    auth_cookie_secure: true,
    allowed_hosts: ["a.example"],
    allowed_origins: ["https://a.example"],
    allow_plain_http: true,
    gateway_body_limit_bytes: 2048,
    prices: [{ model: "a/b", input_usd_per_million: 1, output_usd_per_million: 1 }],
    drain_timeout_ms: 1,
  };
  bench.write({}, changed);
  const { restart_needed: named } = reportOf(await bench.reload());
  const live = ["require_api_key", "allowed_hosts", "allowed_origins", "allow_plain_http"];
  expect(named.sort()).toEqual(
    Object.keys(changed)
      .filter((key) => !live.includes(key))
      .sort(),
  );
  const status = async () =>
    (await bench.claviger.call({ path: "/v1/models", headers: { host: "a.example" } })).status;
  expect(await status()).toBe(401);
  bench.write({});
  expect(reportOf(await bench.reload()).restart_needed).toEqual([]);
  expect(await status()).toBe(421);
});

test("[D4] [I13] the settings in force are told: what a reload put in force, where it is from, and what waits for a restart", async () => {
  await using bench = await startFileBench((sim) => ({ sim, main: listener(["keys"]) }));
  const asked = async () => {
    const { json } = await bench.claviger.control({ path: "/api/v1/settings" });
    const { settings } = Object(json);
    return (name: string) => settings.find((each: { name: string }) => each.name === name);
  };
  expect((await asked())("allowed_hosts")).toMatchObject({ value: [], source: "default" });
  const settings = { allowed_hosts: ["box.example"], drain_timeout_ms: 5 };
  bench.write({ sim: bench.provider, main: listener(["keys"]) }, settings);
  await bench.reload();
  const told = await asked();
  expect(told("allowed_hosts")).toMatchObject({
    value: ["box.example"],
    source: "file",
    restart_needed: false,
  });
  expect(told("drain_timeout_ms")).toMatchObject({ value: 10_000, source: "default", restart_needed: true });
});

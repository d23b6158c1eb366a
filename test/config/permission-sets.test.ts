import { mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { scratch } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";

const YAML = `resources:
  mini-only:
    resource_type: PermissionSet
    allow: ["gateway.use:sim/*", models.read]
    deny: ["gateway.use:sim/*-large"]
  reader: {resource_type: PermissionSet, allow: ["*.read"], deny: [audit.read]}
  reader-again: {resource_type: PermissionSet, deny: [audit.read], allow: ["*.read"]}
  nothing: {resource_type: PermissionSet, allow: []}
  everything: {resource_type: PermissionSet, permissions: full}
  one-provider: {resource_type: PermissionSet, allow: ["providers.manage:sim*"]}
  keeper: {resource_type: PermissionSet, allow: [keys.manage, models.read]}
  viewer: {resource_type: PermissionSet, allow: [usage.read]}
`;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function statusOf(
  server: TestClaviger,
  key: string,
  path: string,
  body?: unknown,
  method = body === undefined ? "GET" : "POST",
): Promise<number> {
  return (await server.call({ method, path, headers: bearer(key), body })).status;
}

const chat = (model: string) => ({ model, messages: [{ role: "user", content: "hello" }] });

test.each([1, 2])("[I2] sets of the file rule what a key may do, with %i threads", async (workers) => {
  await using upstream = await startUpstream();
  await using server = await startClaviger({ yaml: YAML, workers });
  await server.addProvider("sim", upstream.baseUrl, "credential");
  const { key } = await server.issueKey("mini", ["mini-only"]);
  const use = (model: string) => statusOf(server, key, "/v1/chat/completions", chat(model));
  // As many as it takes that each thread surely serves one.
  for (let request = 0; request < 8 * workers; request += 1) expect(await use("sim/gpt-small")).toBe(200);
  expect(await use("sim/gpt-large")).toBe(403);
  const both = await server.issueKey("both", ["gateway", "mini-only"]);
  expect(await statusOf(server, both.key, "/v1/chat/completions", chat("sim/gpt-large"))).toBe(403);
  const none = await server.issueKey("none", ["nothing"]);
  expect(await statusOf(server, none.key, "/v1/chat/completions", chat("sim/gpt-small"))).toBe(403);
});

test("[I2] star in the action, deny, full, patterns of provider names; two sets may hold the same rights", async () => {
  await using server = await startClaviger({ yaml: YAML });
  for (const name of ["reader", "reader-again"]) {
    const { key } = await server.issueKey(name, [name]);
    expect(await statusOf(server, key, "/api/v1/usage")).toBe(200);
    expect(await statusOf(server, key, "/api/v1/audit")).toBe(403);
    expect(await statusOf(server, key, "/api/v1/keys")).toBe(403);
  }
  const { key: full } = await server.issueKey("full", ["everything"]);
  expect(await statusOf(server, full, "/api/v1/audit")).toBe(200);
  expect(await statusOf(server, full, "/api/v1/keys")).toBe(200);
  const { key: own } = await server.issueKey("own", ["one-provider"]);
  const provider = (name: string) => ({ name, kind: "ollama" });
  expect(await statusOf(server, own, "/api/v1/providers", provider("sim-1"))).toBe(201);
  expect(await statusOf(server, own, "/api/v1/providers", provider("other"))).toBe(403);
});

test("[I15] a set of the file with a built-in name replaces that, also for keys issued before", async () => {
  using place = scratch();
  mkdirSync(place.path, { mode: 0o700 });
  const use = async (yaml: string, key: string | undefined) => {
    await using server = await startClaviger({ yaml, dataDir: place.path });
    const held = key ?? (await server.issueKey("v", ["viewer"])).key;
    const paths = ["/api/v1/usage", "/api/v1/requests"];
    return { held, statuses: await Promise.all(paths.map((path) => statusOf(server, held, path))) };
  };
  const before = await use("", undefined);
  expect(before.statuses).toEqual([200, 200]);
  expect((await use(YAML, before.held)).statuses).toEqual([200, 403]);
});

test("[I15] nobody hands out a set of the file that holds more than he does", async () => {
  await using server = await startClaviger({ yaml: YAML });
  const { key } = await server.issueKey("keeper", ["keeper"]);
  const issue = (permissions: string[]) =>
    server.call({
      method: "POST",
      path: "/api/v1/keys",
      headers: bearer(key),
      body: { name: "x", permissions },
    });
  expect((await issue(["keeper"])).status).toBe(201);
  const refused = await issue(["reader"]);
  expect([refused.status, refused.json]).toMatchObject([403, { code: "exceeds_own_rights" }]);
  const unknown = await issue(["readr"]);
  expect([unknown.status, unknown.text]).toEqual([
    400,
    expect.stringContaining('Did you mean \\"reader\\"?'),
  ]);
});

import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "#platform/lib/version.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { listen } from "#test/events/listener.ts";
import { bearing } from "#test/keys/key-calls.ts";
import { startUpstream } from "#test/upstream.ts";
import { newToken, writeMember } from "./cluster-files.ts";
import { ask, dataOf, NODES, statusComes, statusWith } from "./member-calls.ts";

describe("before there is a cluster", () => {
  let claviger: TestClaviger;
  beforeAll(async () => {
    claviger = await startClaviger();
  });
  afterAll(() => claviger[Symbol.asyncDispose]());

  test.each(NODES)("[C6] [H7] [A5] %s lists this node alone, to those who may read it", async (path) => {
    const { key } = await claviger.issueKey(`viewer-of-${path.length}`, ["viewer"]);
    const { key: bare } = await claviger.issueKey(`bare-of-${path.length}`);
    const answer = await ask(claviger, path, bearing(key));
    const info = await ask(claviger, "/api/v1/info");
    expect(answer).toMatchObject({ status: 200, json: { next_cursor: null } });
    expect(dataOf(answer)).toEqual([
      {
        id: String(Object.getOwnPropertyDescriptor(info.json, "node_id")?.value),
        name: hostname(),
        url: claviger.url,
        version: VERSION,
        state: "up",
        unlocked: true,
        models: [],
        last_seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    ]);
    expect((await ask(claviger, path, bearing(bare))).status).toBe(403);
    expect((await ask(claviger, path)).status).toBe(401);
  });

  test("[C6] a member token is 401", async () => {
    for (const path of [...NODES, "/sse", "/v1/models"])
      expect(await statusWith(claviger, newToken(), path), path).toBe(401);
  });
});

test("[H7] [I15] of the models a node lists those that the caller may read, as a list of models does", async () => {
  const set = (rules: string) => `{ resource_type: PermissionSet, allow: [nodes.read${rules}] }`;
  const yaml = `resources:\n  none: ${set("")}\n  some: ${set(', "models.read:sim/*-2"')}\n  all: ${set(", models.read")}\n`;
  await using upstream = await startUpstream({ models: ["m-1", "m-2"] });
  await using claviger = await startClaviger({ yaml });
  await claviger.addProvider("sim", upstream.baseUrl);
  const expected = { none: [], some: ["sim/m-2"], all: ["sim/m-1", "sim/m-2"] };
  for (const [name, models] of Object.entries(expected)) {
    const { key } = await claviger.issueKey(name, [name]);
    expect(dataOf(await ask(claviger, "/api/nodes", bearing(key))), name).toMatchObject([{ models }]);
  }
});

test("[C6] [S4] a member is told that the server is locked, and of nothing else", async () => {
  await using claviger = await startClaviger();
  const token = newToken();
  writeMember(claviger.dataDir, token);
  await statusComes(claviger, token, 200);
  const listener = await listen(claviger, { key: token });
  const key = newToken();
  await claviger.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } });
  await claviger.control({ method: "POST", path: "/api/v1/key/lock" });
  expect(await listener.end()).toContain("seal.locked");
  for (const path of [...NODES, "/sse"]) {
    const answer = await ask(claviger, path, bearing(token));
    expect(answer).toMatchObject({ status: 503, json: { code: "server_locked" } });
    expect(answer.headers["x-claviger-locked"]).toBe("true");
  }
});

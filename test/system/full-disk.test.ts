import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { claviger, serve } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";
import { smallDisk } from "./small-disk.ts";

vi.setConfig({ testTimeout: 120_000 });

const FULL = 75;
const CANNOT_CREATE = 73;

test("[W5] on a full disk that nobody watches changes are refused whole with storage_full, the gateway goes on, and room heals it", async () => {
  using disk = smallDisk();
  await using upstream = await startUpstream();
  const dataDir = join(disk.root, "data");
  const create = (name: string) => claviger(["api-key", "create", name, "--json", "--data-dir", dataDir]);
  const names = async () => {
    const { stdout } = await claviger(["api-key", "list", "--json", "--data-dir", dataDir]);
    const rows: { name: string; revoked_at: string | null }[] = JSON.parse(stdout);
    return rows.filter(({ revoked_at }) => revoked_at === null).map(({ name }) => name);
  };
  const use = async (url: string, key: string) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  const leaked = { id: "", key: "" };
  let key = "";
  {
    await using server = await serve(dataDir, { args: ["--config", disk.config] });
    const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
    expect((await claviger([...add, "--data-dir", dataDir], { input: "credential\n" })).status).toBe(0);
    key = JSON.parse((await create("before")).stdout).key;
    Object.assign(leaked, JSON.parse((await create("leaked")).stdout));
    disk.fill();
    for (const name of ["during-1", "during-2"]) {
      const refused = await create(name);
      expect(refused.status).toBe(FULL);
      expect(JSON.parse(refused.stderr).error.code).toBe("storage_full");
    }
    for (let count = 0; count < 20; count++) expect(await use(server.url, key)).toBe(200);
    // A revocation takes effect even when it cannot be written.
    expect((await claviger(["api-key", "revoke", leaked.id, "--data-dir", dataDir])).status).toBe(FULL);
    expect(await use(server.url, leaked.key)).toBe(401);
    expect((await names()).sort()).not.toContain("during-1");
    disk.free();
    expect((await create("after")).status).toBe(0);
    expect((await server.kill("SIGTERM")).status).toBe(0);
  }
  await using again = await serve(dataDir, { args: ["--config", disk.config] });
  expect((await names()).sort()).toEqual(["after", "before"]);
  expect(await use(again.url, key)).toBe(200);
  expect(await use(again.url, leaked.key)).toBe(401);
});

test("a start on a full disk is a clear refusal, fresh or not, and room is all it needs", async () => {
  using disk = smallDisk();
  const dataDir = join(disk.root, "data");
  const start = ["serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0", "--config", disk.config];
  for (const state of ["fresh", "used"]) {
    disk.fill();
    const refused = await claviger(start);
    expect(`${state}: ${refused.stderr}`).toMatch(/is full|no space left|ENOSPC/);
    expect(refused.stderr).not.toMatch(/\n {4}at /);
    expect([FULL, CANNOT_CREATE]).toContain(refused.status);
    disk.free();
    await using server = await serve(dataDir, { args: ["--config", disk.config] });
    expect((await claviger(["status", "--data-dir", dataDir])).status).toBe(0);
    expect((await server.kill("SIGTERM")).status).toBe(0);
  }
});

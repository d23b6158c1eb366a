import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { verified } from "../audit/audited-server.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { NO_BOUND, smallDisk } from "./small-disk.ts";

vi.setConfig({ testTimeout: 120_000 });

const CALLS = 12;
const NO_BOUND_FILE = `settings:\n  ${NO_BOUND.join("\n  ")}\n`;
/** The housekeeping tries every ten seconds what could not be written. */
const TRIED_AGAIN = { timeout: 30_000, interval: 250 };
const page = z.object({
  data: z.array(z.object({ action: z.string(), target: z.string().nullable(), outcome: z.string() })),
});

test("[W1] on a full disk changes are refused; a revocation and a lock hold at once in every thread, are logged, and recorded when there is room", async () => {
  using disk = smallDisk();
  const dataDir = join(disk.root, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const passphrase = systemRandom.bytes(16).toString("hex");
  {
    await using server = await startClaviger({
      dataDir,
      yaml: NO_BOUND_FILE,
      workers: 2,
      env: { REQUIRE_API_KEY: "true" },
    });
    const leaked = await server.issueKey("leaked");
    const admin = await server.issueKey("admin", ["superadmin"]);
    const initialize = { method: "POST", path: "/api/v1/key/initialize", body: { key: passphrase } };
    expect((await server.control(initialize)).status).toBe(200);
    disk.fill();
    for (const name of ["during-1", "during-2"])
      expect(await server.control(creating(name))).toMatchObject({
        status: 507,
        json: { code: "storage_full" },
      });
    expect(await statuses(server, leaked.key)).toEqual([200]);
    const revoke = { method: "DELETE", path: `/api/v1/keys/${leaked.id}` };
    expect(await server.control(revoke)).toMatchObject({ status: 507, json: { code: "storage_full" } });
    expect(await statuses(server, leaked.key)).toEqual([401]);
    expect(logOf(server, "this holds, but could not be written down yet")).toMatchObject([
      { name: "key.revoke", detail: leaked.id, principal: "local" },
    ]);
    expect((await server.control({ method: "POST", path: "/api/v1/key/lock" })).status).toBe(200);
    expect(await statuses(server, admin.key)).toEqual([503]);
    expect(logOf(server, "the server is locked, but")).toHaveLength(1);
    const before = await recorded(server);
    for (const action of ["key.revoke", "key.lock"]) expect(before).not.toContain(action);
    disk.free();
    await expect
      .poll(() => recorded(server), TRIED_AGAIN)
      .toEqual(expect.arrayContaining(["key.revoke", "key.lock"]));
    expect(await recorded(server)).toHaveLength(5);
    expect(await statuses(server, admin.key)).toEqual([503]);
  }
  expect(verified(dataDir)).toMatchObject({ whole: true });
  await using again = await startClaviger({ dataDir, yaml: NO_BOUND_FILE, env: { REQUIRE_API_KEY: "true" } });
  const unlock = { method: "POST", path: "/api/v1/key/unlock", body: { key: passphrase } };
  expect((await again.control(unlock)).status).toBe(200);
  expect((await again.control({ path: "/api/v1/keys" })).text).not.toContain("during-");
});

const creating = (name: string) => ({
  method: "POST",
  path: "/api/v1/keys",
  body: { name, permissions: ["gateway"] },
});

/** The distinct statuses of many calls over connections of their own, which all threads take. */
async function statuses(server: TestClaviger, key: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${key}` };
  const answers = await Promise.all(
    Array.from({ length: CALLS }, () => server.call({ path: "/v1/models", headers })),
  );
  return [...new Set(answers.map(({ status }) => status))];
}

/** The actions of what is recorded as done. */
async function recorded(server: TestClaviger): Promise<string[]> {
  const { data } = page.parse((await server.control({ path: "/api/v1/audit?outcome=success" })).json);
  return data.map(({ action }) => action);
}

function logOf(server: TestClaviger, words: string): unknown[] {
  return server
    .logged()
    .split("\n")
    .filter((line) => line.includes(words))
    .map((line) => JSON.parse(line));
}

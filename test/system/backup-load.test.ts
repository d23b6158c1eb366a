import { readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { claviger, Program, scratch, serve } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";

vi.setConfig({ testTimeout: 300_000 });

const MIB = 1024 * 1024;
const STORE_MIB = 96;
/** Enough to see that it serves, and few enough that what they need themselves is little. */
const MOST_CHATS = 300;
/** Less than the store: it is not held whole. */
const MOST_MIB = 90;

test("[S14] a large store is backed up while it is written and served, in little memory, one backup at a time", async () => {
  using place = scratch();
  const dataDir = join(place.root, "data");
  const file = join(place.root, "large.backup");
  await using upstream = await startUpstream({ listsApart: true });
  const local = ["--data-dir", dataDir];
  const create = async (name: string) => {
    const made = await claviger(["api-key", "create", name, "--json", ...local]);
    expect(made.status, made.stderr).toBe(0);
    return String(JSON.parse(made.stdout).key);
  };
  {
    await using server = await serve(dataDir);
    await server.kill("SIGTERM");
  }
  fill(join(dataDir, "db", "data.sqlite"), STORE_MIB);
  await using server = await serve(dataDir);
  const key = systemRandom.bytes(18).toString("base64url");
  expect((await claviger(["key", "init", ...local], { input: `${key}\n` })).status).toBe(0);
  const add = [
    "provider",
    "add",
    "sim",
    "--kind",
    "openai-compatible",
    "--base-url",
    upstream.baseUrl,
    ...local,
  ];
  expect((await claviger(add, { input: "credential\n" })).status).toBe(0);
  const clientKey = await create("before");

  const socket = join(dataDir, "run", "control.sock");
  const first = await openBackup(socket);
  expect(first.status).toBe(200);
  expect((await openBackup(socket)).status).toBe(409);
  first.leave();
  const copies = () => readdirSync(join(dataDir, "db")).filter((name) => name.startsWith("backup-"));
  await expect.poll(copies, { timeout: 20_000 }).toEqual([]);

  const before = await peakMib(server.child.pid);
  await using backup = new Program(["backup", ...local, file], {}, { deadlineMs: 100_000 });
  backup.child.stdin?.end();
  const ended = { value: false };
  const done = backup.ended.then((result) => {
    ended.value = true;
    return result;
  });
  const statuses: number[] = [];
  while (!ended.value && statuses.length < MOST_CHATS) statuses.push(await chat(server.url, clientKey));
  expect(await done).toMatchObject({ status: 0 });
  expect(statuses.length).toBeGreaterThan(3);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statSync(file).size).toBeGreaterThan(STORE_MIB * MIB);
  expect((await peakMib(server.child.pid)) - before).toBeLessThan(MOST_MIB);
  await server.kill("SIGTERM");

  const elsewhere = join(place.root, "elsewhere");
  await using restore = new Program(["restore", "--data-dir", elsewhere, file], {}, { deadlineMs: 100_000 });
  restore.child.stdin?.end();
  expect((await restore.ended).status).toBe(0);
  await using again = await serve(elsewhere);
  expect((await claviger(["key", "unlock", "--data-dir", elsewhere], { input: `${key}\n` })).status).toBe(0);
  expect(await chat(again.url, clientKey)).toBe(200);
});

test("[S14] the commands hold a store of 256 MiB not in memory, neither to back it up nor to look it through", async () => {
  using place = scratch();
  const dataDir = join(place.root, "data");
  const file = join(place.root, "large.backup");
  {
    await using server = await serve(dataDir);
    await server.kill("SIGTERM");
  }
  fill(join(dataDir, "db", "data.sqlite"), 256);
  const password = systemRandom.bytes(18).toString("base64url");
  for (const args of [
    ["backup", "--password", "--data-dir", dataDir, file],
    ["restore", "--dry-run", file],
  ]) {
    await using program = new Program(args, {}, { deadlineMs: 150_000 });
    program.child.stdin?.end(`${password}\n`);
    let peak = 0;
    while (program.child.exitCode === null) {
      peak = Math.max(peak, await peakMib(program.child.pid).catch(() => 0));
      await new Promise(setImmediate);
    }
    expect(await program.ended).toMatchObject({ status: 0 });
    // Some 260 MiB of it are for the program itself and for argon2id; the store twice would be 512 more.
    expect(peak).toBeLessThan(450);
  }
});

function fill(path: string, mib: number): void {
  const database = new DatabaseSync(path, { timeout: 5000 });
  const row = database.prepare("INSERT INTO meta (name, value) VALUES (?, ?)");
  for (let index = 0; index < mib; index++)
    row.run(`filler.${index}`, systemRandom.bytes(MIB / 2).toString("hex"));
  database.close();
}

/** A backup of which nothing is read yet. */
function openBackup(socketPath: string): Promise<{ status: number; leave: () => void }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, path: "/api/v1/backup", headers: { host: "localhost" }, agent: false },
      (response) => {
        resolve({ status: response.statusCode ?? 0, leave: () => void response.destroy() });
        response.on("error", () => undefined);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function chat(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The most memory it ever held, by proc_pid_status(5). */
async function peakMib(pid: number | undefined): Promise<number> {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
}

import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import { sha256 } from "#platform/lib/hmac.ts";
import { claviger, scratch, serve, timed } from "./process.ts";

vi.setConfig({ testTimeout: 60_000 });

test("[N9] a second process on the data directory is refused within 2 s with the pid of the first, which goes on", async () => {
  using place = scratch();
  await using first = await serve(place.path);
  const second = await timed(["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"], 2000);
  expect(second.quickestMs).toBeLessThan(2000);
  for (const { status, stderr } of second.runs) {
    expect(status).toBe(75);
    expect(stderr).toContain(`pid ${first.child.pid}`);
  }
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
  expect((await claviger(["status", "--data-dir", place.path])).status).toBe(0);
});

test("[N10] a socket that a killed server left is replaced, and the same path answers again", async () => {
  using place = scratch();
  const path = join(place.path, "run", "control.sock");
  {
    await using killed = await serve(place.path);
    await killed.kill("SIGKILL");
  }
  expect(existsSync(path)).toBe(true);
  expect((await claviger(["status", "--data-dir", place.path])).status).toBe(69);
  await using again = await serve(place.path);
  expect((await claviger(["status", "--data-dir", place.path])).status).toBe(0);
  await again.kill("SIGTERM");
  expect(existsSync(path)).toBe(false);
});

test("[N10] what is no socket, or a socket that is answered, is never removed", async () => {
  using place = scratch();
  const path = join(place.path, "run", "control.sock");
  mkdirSync(join(place.path, "run"), { recursive: true, mode: 0o700 });
  writeFileSync(path, "somebody's");
  const start = ["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"];
  const refused = await claviger(start);
  expect(refused.status).toBe(78);
  expect(refused.stderr).toContain(`${path} is not a socket`);
  expect(readFileSync(path, "utf8")).toBe("somebody's");
  rmSync(path);
  const other = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => other.listen(path, resolve));
  const live = await claviger(start);
  expect(live.status).toBe(75);
  expect(live.stderr).toContain(`a running server answers on ${path}`);
  await new Promise<void>((resolve, reject) => connect(path).once("connect", resolve).once("error", reject));
  await new Promise((resolve) => other.close(resolve));
});

test("[N10] beyond 107 bytes the socket is under a short run-time path, 0700, that the command finds too", async () => {
  using place = scratch();
  const long = join(place.root, "d".repeat(60), "e".repeat(60));
  await using server = await serve(long);
  const path = controlSocketPath(long);
  expect(path.startsWith("/tmp/claviger-")).toBe(true);
  expect(existsSync(join(long, "run", "control.sock"))).toBe(false);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  const status = JSON.parse((await claviger(["status", "--json", "--data-dir", long])).stdout);
  expect(status).toMatchObject({ pid: server.child.pid, initialized: false, unlocked: true });
  await server.kill("SIGTERM");
  expect((await claviger(["status", "--data-dir", long])).status).toBe(69);
  rmSync(join(path, ".."), { recursive: true });
});

test("[N10] who opens the socket is `local` with full rights, and the record says so", async () => {
  using place = scratch();
  {
    await using server = await serve(place.path);
    expect((await claviger(["api-key", "create", "program", "--data-dir", place.path])).status).toBe(0);
    await server.kill("SIGTERM");
  }
  const store = new DatabaseSync(join(place.path, "db", "data.sqlite"), { readOnly: true, timeout: 5000 });
  const rows = store.prepare("SELECT actor, action, outcome FROM audit").all();
  store.close();
  expect(rows.map((row) => ({ ...row }))).toContainEqual({
    actor: "local",
    action: "key.create",
    outcome: "success",
  });
});

const PAGE = 4096;
const DAMAGES: readonly [string, string, (path: string) => void][] = [
  ["a header of garbage", "data.sqlite", (path) => overwrite(path, 0, Buffer.alloc(100, 0xa5))],
  ["a cut page", "data.sqlite", (path) => truncateSync(path, statSync(path).size - PAGE - 100)],
  ["a flipped letter in a table's definition", "data.sqlite", (path) => flip(path, "append-only")],
  ["a flipped letter in a table's name", "data.sqlite", (path) => flip(path, "CREATE TABLE credential")],
  ["a missing file", "data.sqlite", (path) => rmSync(path)],
  ["an empty file", "data.sqlite", (path) => truncateSync(path, 0)],
  ["a write-ahead log with a broken header", "data.sqlite-wal", (path) => flipAt(path, 20)],
  ["a write-ahead log with a broken page", "data.sqlite-wal", (path) => flipAt(path, 32 + 24 + 3000)],
  ["a write-ahead log with a broken frame header", "data.sqlite-wal", (path) => flipAt(path, 32 + 9)],
];

describe("a damaged store", () => {
  const place = scratch();
  /** One store that was stopped, with nothing left in its log, and one that was killed. */
  const [stopped, killed] = [join(place.root, "stopped"), join(place.root, "killed")];
  beforeAll(async () => {
    await using server = await serve(killed);
    for (const key of ["one", "two"])
      expect((await claviger(["api-key", "create", key, "--data-dir", killed])).status).toBe(0);
    await server.kill("SIGKILL");
    cpSync(killed, stopped, { recursive: true, filter: isNoSocket });
    await using again = await serve(stopped);
    await again.kill("SIGTERM");
  }, 60_000);
  afterAll(() => place[Symbol.dispose]());

  test("[N9] a store without its trigger is refused, and keeps the write-ahead log that a killed server left", async () => {
    using copy = scratch();
    cpSync(killed, copy.path, { recursive: true, filter: isNoSocket });
    const log = join(copy.path, "db", "data.sqlite-wal");
    const store = new DatabaseSync(join(copy.path, "db", "data.sqlite"), { timeout: 5000 });
    store.exec("DROP TRIGGER audit_no_delete");
    cpSync(log, `${log}.kept`);
    store.close();
    cpSync(join(killed, "db", "data.sqlite"), join(copy.path, "db", "data.sqlite"));
    renameSync(`${log}.kept`, log);
    const before = bytesOf(copy.path);
    const refused = await claviger(["serve", "--data-dir", copy.path, "--listen", "127.0.0.1:0"]);
    expect(refused.stderr).toContain("damaged");
    expect(bytesOf(copy.path)).toEqual(before);
    expect([...before.keys()].sort()).toEqual(["audit.anchor", "data.sqlite", "data.sqlite-wal"]);
  });

  test.each(
    DAMAGES,
  )("[N9] %s is a refusal to start that leaves every byte as it is", async (_, name, damage) => {
    using copy = scratch();
    const from = name.endsWith("-wal") ? killed : stopped;
    cpSync(from, copy.path, { recursive: true, filter: isNoSocket });
    damage(join(copy.path, "db", name));
    const before = bytesOf(copy.path);
    const refused = await claviger(["serve", "--data-dir", copy.path, "--listen", "127.0.0.1:0"]);
    expect(refused.stderr).toMatch(/damaged|missing or empty/);
    expect(refused.status).toBe(78);
    expect(bytesOf(copy.path)).toEqual(before);
  });
});

test("[N9] a write-ahead log torn at its end, as a power cut leaves it, is no damage: what was answered is kept", async () => {
  using place = scratch();
  await using killed = await serve(place.path);
  for (const key of ["one", "two", "three"])
    expect((await claviger(["api-key", "create", key, "--data-dir", place.path])).status).toBe(0);
  await killed.kill("SIGKILL");
  const wal = join(place.path, "db", "data.sqlite-wal");
  const whole = readFileSync(wal);
  writeFileSync(wal, Buffer.concat([whole, whole.subarray(32, 32 + 24 + 1000)]));
  await using again = await serve(place.path);
  const list = await claviger(["api-key", "list", "--json", "--data-dir", place.path]);
  expect(JSON.parse(list.stdout)).toHaveLength(3);
  await again.kill("SIGTERM");
});

function isNoSocket(path: string): boolean {
  return !path.endsWith(".sock");
}

/** Digests of the store's files but the shared memory, the lock, and an empty log, which hold nothing. */
function bytesOf(dataDir: string): Map<string, string> {
  const directory = join(dataDir, "db");
  const names = readdirSync(directory).filter((name) => !/-shm$|^lock/.test(name));
  const files = names.map((name) => ({ name, bytes: readFileSync(join(directory, name)) }));
  const filled = files.filter(({ name, bytes }) => bytes.length > 0 || !name.endsWith("-wal"));
  return new Map(filled.map(({ name, bytes }) => [name, sha256(bytes).toString("hex")]));
}

function overwrite(path: string, offset: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

function flipAt(path: string, offset: number): void {
  const byte = readFileSync(path)[offset] ?? 0;
  overwrite(path, offset, Buffer.from([byte ^ 1]));
}

function flip(path: string, text: string): void {
  const bytes = readFileSync(path);
  if (!bytes.includes(text)) throw new Error(`${text} is not in ${path}`);
  // Everywhere: a page that was rewritten still holds its former text in the part it no longer uses.
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1))
    flipAt(path, at + text.length - 1);
}

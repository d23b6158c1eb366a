import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sha256 } from "#platform/lib/hmac.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { seededRandom } from "../seeded-random.ts";
import { claviger, Program, scratch, serve } from "../start/process.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const EXIT = {
  usage: 64,
  data: 65,
  notRunning: 69,
  cannotCreate: 73,
  tryAgain: 75,
  notPermitted: 77,
} as const;
const password = systemRandom.bytes(18).toString("base64url");
const serverKey = systemRandom.bytes(18).toString("base64url");

/** Two servers' worth: one whose backup needs a password, and one with a server key. */
const place = scratch();
const [bare, sealed] = [join(place.root, "bare"), join(place.root, "sealed")];
const [closed, open] = [join(place.root, "closed.backup"), join(place.root, "open.backup")];

beforeAll(async () => {
  for (const [dataDir, name] of [
    [bare, "in-bare"],
    [sealed, "in-sealed"],
  ] as const) {
    await using server = await serve(dataDir);
    await expectEnd(["api-key", "create", name, "--data-dir", dataDir], 0);
    if (dataDir === sealed) await expectEnd(["key", "init", "--data-dir", dataDir], 0, `${serverKey}\n`);
    await server.kill("SIGTERM");
  }
  await expectEnd(["backup", "--password", "--data-dir", bare, closed], 0, `${password}\n`);
  await expectEnd(["backup", "--data-dir", sealed, open], 0);
});
afterAll(() => place[Symbol.dispose]());

async function expectEnd(args: readonly string[], status: number, input = ""): Promise<string> {
  const ended = await claviger(args, { input });
  expect(ended.status, `${args.join(" ")}: ${ended.stderr}`).toBe(status);
  expect(ended.stderr).not.toMatch(/\n {4}at /);
  return ended.stdout + ended.stderr;
}

/** What the directory holds, byte for byte; what was left for the audit of the next start is set apart. */
function snapshot(dataDir: string): Record<string, string> {
  if (!existsSync(dataDir)) return {};
  const entries = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const kept = paths.filter((path) => !path.endsWith("audit.notes")).sort();
  return Object.fromEntries(
    kept.map((path) => {
      const status = statSync(path);
      const text = status.isFile() ? sha256(readFileSync(path)).toString("hex") : "";
      return [path, `${status.mode.toString(8)} ${text}`];
    }),
  );
}

/** Names of API keys in the store of a stopped server, asked of one that is started on it. */
async function keysIn(dataDir: string): Promise<string[]> {
  await using server = await serve(dataDir);
  const status = await claviger(["status", "--json", "--data-dir", dataDir]);
  if (status.status === EXIT.tryAgain)
    await expectEnd(["key", "unlock", "--data-dir", dataDir], 0, `${serverKey}\n`);
  const { stdout } = await claviger(["api-key", "list", "--json", "--data-dir", dataDir]);
  await server.kill("SIGTERM");
  const rows: { name: string }[] = JSON.parse(stdout);
  return rows.map(({ name }) => name);
}

describe("what is refused changes nothing", () => {
  test("[S14] a directory with a store, without --force: 73; in use: 75; without a store to back up: 69", async () => {
    const before = snapshot(bare);
    expect(await expectEnd(["restore", "--data-dir", bare, open], EXIT.cannotCreate)).toContain("--force");
    expect(snapshot(bare)).toEqual(before);
    {
      await using server = await serve(bare);
      const said = await expectEnd(["restore", "--force", "--data-dir", bare, open], EXIT.tryAgain);
      expect(said).toContain(`pid ${server.child.pid}`);
      await server.kill("SIGTERM");
    }
    expect(await keysIn(bare)).toEqual(["in-bare"]);
    const nowhere = join(place.root, "nowhere");
    await expectEnd(["backup", "--data-dir", nowhere, join(place.root, "x")], EXIT.notRunning);
    expect(existsSync(nowhere)).toBe(false);
  });

  test("[S14] damaged, cut, foreign, newer: 65; a wrong password: 77; none or one too many: 64; fresh directory or not", async () => {
    const bytes = readFileSync(closed);
    const changed = (at: number) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy;
    };
    const cases: [string, Buffer, number, string][] = [
      ["damaged in the middle", changed(bytes.length >> 1), EXIT.data, password],
      ["damaged at the end", changed(bytes.length - 1), EXIT.data, password],
      ["damaged header", changed(60), EXIT.data, password],
      ["cut by one byte", bytes.subarray(0, -1), EXIT.data, password],
      ["cut at a chunk", bytes.subarray(0, headBytes(bytes) + 65536 + 16), EXIT.data, password],
      ["a byte more", Buffer.concat([bytes, Buffer.alloc(1)]), EXIT.data, password],
      ["foreign", readFileSync(join(bare, "db", "data.sqlite")), EXIT.data, password],
      ["empty", Buffer.alloc(0), EXIT.data, password],
      ["newer format", Buffer.from(bytes).fill(9, 17, 18), EXIT.data, password],
      ["endless header", Buffer.from(bytes).fill(255, 18, 22), EXIT.data, password],
      ["wrong password", bytes, EXIT.notPermitted, `${password}x`],
      ["no password", bytes, EXIT.usage, ""],
    ];
    const file = join(place.root, "case.backup");
    const before = snapshot(bare);
    for (const [name, content, status, given] of cases) {
      writeFileSync(file, content);
      const fresh = join(place.root, "fresh");
      const said = await expectEnd(["restore", "--data-dir", fresh, file], status, given && `${given}\n`);
      expect(existsSync(fresh), name).toBe(false);
      if (status !== EXIT.usage) expect(said, name).toContain("nothing was changed");
    }
    writeFileSync(file, changed(bytes.length - 1));
    await expectEnd(["restore", "--force", "--data-dir", bare, file], EXIT.data, `${password}\n`);
    await expectEnd(
      ["restore", "--force", "--password", "--data-dir", bare, open],
      EXIT.usage,
      `${password}\n`,
    );
    await expectEnd(["restore", "--data-dir", bare, join(place.root, "missing")], EXIT.cannotCreate);
    await expectEnd(["restore", "--dry-run", join(place.root, "missing")], EXIT.data);
    expect(snapshot(bare)).toEqual(before);
  });

  test("[S16] a restore that failed is in the audit of the store it left alone", async () => {
    await using server = await serve(bare);
    const { stdout } = await claviger(["status", "--json", "--data-dir", bare]);
    expect(JSON.parse(stdout)).toMatchObject({ unlocked: true });
    const rows = await fetchAudit(bare);
    expect(rows).toContain("local key.restore failure");
    expect(rows).toContain("local key.backup success");
    await server.kill("SIGTERM");
  });

  test("[S14] a rehearsal tells of the backup and writes nothing, also while a server serves that very directory", async () => {
    await using server = await serve(bare);
    const before = snapshot(join(bare, "secrets"));
    const said = await expectEnd(["restore", "--dry-run", "--data-dir", bare, open], 0);
    expect(said).toMatch(/server key: [0-9a-f]{16}/);
    expect(said).toMatch(/made: +\d{4}-\d\d-\d\dT.* by Claviger \d+\.\d+\.\d+, store version \d+/);
    const told = JSON.parse(await expectEnd(["restore", "--dry-run", "--json", closed], 0, `${password}\n`));
    expect(told).toMatchObject({ server_key: "uninitialized", with_config: false });
    expect(JSON.stringify(told)).not.toContain("wrapped");
    expect(snapshot(join(bare, "secrets"))).toEqual(before);
    await server.kill("SIGTERM");
  });

  test("[S14] a file that exists is replaced only with --force, and a half one never stays", async () => {
    const file = join(place.root, "existing.backup");
    writeFileSync(file, "precious");
    await expectEnd(["backup", "--data-dir", sealed, file], EXIT.cannotCreate);
    expect(readFileSync(file, "utf8")).toBe("precious");
    await expectEnd(["backup", "--data-dir", bare, "--force", file], EXIT.data);
    expect(readFileSync(file, "utf8")).toBe("precious");
    await expectEnd(["backup", "--data-dir", sealed, "--force", file], 0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await expectEnd(["restore", "--dry-run", file], 0);
    expect(readdirSync(place.root).filter((name) => name.endsWith(".part"))).toEqual([]);
    await expectEnd(["backup", "--data-dir", sealed, join(place.root, "no", "directory")], EXIT.cannotCreate);
    const piped = await claviger(["backup", "--data-dir", sealed, "-"]);
    expect(piped).toMatchObject({ status: 0, stdout: expect.stringMatching(/^claviger-backup\n/) });
  });
});

describe("on a full disk", () => {
  test("[S13] [S14] a restore that finds no room ends with 73, the store before it is untouched, and room is all it needs", async () => {
    using disk = smallDisk(place.root, "restore-disk", "6m");
    const dataDir = join(disk.root, "data");
    const config = join(place.root, "restore-disk.yaml");
    writeFileSync(config, "settings:\n  disk_low_mb: 0\n");
    {
      await using server = await serve(dataDir, { args: ["--config", config] });
      await expectEnd(["api-key", "create", "before", "--data-dir", dataDir], 0);
      await server.kill("SIGTERM");
    }
    const before = snapshot(dataDir);
    const size = statSync(open).size;
    for (const room of [0, size >> 1, size - 8192]) {
      disk.fill(room);
      await expectEnd(["restore", "--force", "--data-dir", dataDir, open], EXIT.cannotCreate);
      expect(snapshot(dataDir), `${room} bytes of room`).toEqual(before);
      disk.free();
    }
    await expectEnd(["restore", "--force", "--data-dir", dataDir, open], 0);
    expect(await keysIn(dataDir)).toEqual(["in-sealed"]);
  });

  test("[S8] [S13] a single value that finds no room ends with 73, nothing is changed, and room is all it needs", async () => {
    using disk = smallDisk(place.root, "value-disk", "6m");
    const dataDir = join(disk.root, "data");
    const backup = join(place.root, "value.backup");
    {
      await using server = await serve(dataDir);
      await expectEnd(["backup", "--password", "--data-dir", dataDir, backup], 0, `${password}\n`);
      await server.kill("SIGTERM");
    }
    const before = snapshot(dataDir);
    const size = statSync(join(dataDir, "db", "data.sqlite")).size;
    const only = ["restore", backup, "--data-dir", dataDir, "--only", "travelling_secret/API_KEY_SECRET"];
    for (const room of [0, size >> 1, size + 16_384]) {
      disk.fill(room);
      await expectEnd(only, EXIT.cannotCreate, `${password}\n`);
      expect(snapshot(dataDir), `${room} bytes of room`).toEqual(before);
      disk.free();
    }
    await expectEnd(only, 0, `${password}\n`);
  });

  test("[S14] [W5] a backup that finds no room leaves no file, and the server serves on", async () => {
    using disk = smallDisk(place.root, "backup-disk", "6m");
    const dataDir = join(disk.root, "data");
    await using server = await serve(dataDir);
    const elsewhere = join(place.root, "from-full-disk.backup");
    disk.fill(300_000);
    await expectEnd(
      ["backup", "--password", "--data-dir", dataDir, elsewhere],
      EXIT.tryAgain,
      `${password}\n`,
    );
    expect(existsSync(elsewhere)).toBe(false);
    expect(readdirSync(join(dataDir, "db")).filter((name) => name.startsWith("backup-"))).toEqual([]);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    disk.free();
    await expectEnd(["backup", "--password", "--data-dir", dataDir, elsewhere], 0, `${password}\n`);
    disk.fill(50_000);
    const here = join(disk.root, "x.backup");
    await expectEnd(["backup", "--data-dir", sealed, here], EXIT.cannotCreate);
    expect(readdirSync(disk.root).sort()).toEqual(["data", "filler"]);
    await server.kill("SIGTERM");
  });
});

describe("killed", () => {
  test("[S13] [S14] at any time, a restore leaves the old store or the new one, wholly", async () => {
    const random = seededRandom(14);
    const dataDir = join(place.root, "killed");
    const args = ["restore", "--force", "--data-dir", dataDir];
    await expectEnd(["restore", "--data-dir", dataDir, closed], 0, `${password}\n`);
    for (let round = 0; round < 6; round++) {
      const [now = ""] = await keysIn(dataDir);
      const next = now === "in-bare" ? open : closed;
      {
        await using program = new Program([...args, next], {});
        program.child.stdin?.end(next === closed ? `${password}\n` : "");
        await stagedIn(dataDir, program, (random.bytes(1)[0] ?? 0) / 4);
        await program.kill("SIGKILL");
      }
      const [after = ""] = await keysIn(dataDir);
      expect(["in-bare", "in-sealed"], `round ${round}`).toContain(after);
      const restore = join(dataDir, "restore");
      const left = existsSync(restore) ? readdirSync(restore) : [];
      expect(left.filter((name) => !name.startsWith("replaced-"))).toEqual([]);
    }
  });

  test("[S14] a backup that was killed leaves no file of its name", async () => {
    const file = join(place.root, "killed.backup");
    for (let round = 0; round < 2; round++) {
      await using program = new Program(["backup", "--data-dir", sealed, file], {});
      program.child.stdin?.end();
      await appeared(`${file}.part`, program);
      await program.kill("SIGKILL");
      if (existsSync(file)) await expectEnd(["restore", "--dry-run", file], 0);
      rmSync(file, { force: true });
    }
    await expectEnd(["backup", "--data-dir", sealed, file], 0);
    expect(await keysIn(sealed)).toEqual(["in-sealed"]);
  });
});

/** Settles some milliseconds after the restore began to write, or at its end. */
async function stagedIn(dataDir: string, program: Program, afterMs: number): Promise<void> {
  await appeared(join(dataDir, "restore", "staged"), program);
  const until = performance.now() + afterMs;
  while (performance.now() < until && program.child.exitCode === null) await new Promise(setImmediate);
}

async function appeared(path: string, program: Program): Promise<void> {
  while (!existsSync(path) && program.child.exitCode === null) await new Promise(setImmediate);
}

async function fetchAudit(dataDir: string): Promise<string[]> {
  const { stdout } = await runCurl(join(dataDir, "run", "control.sock"));
  const { data }: { data: { actor: string; action: string; outcome: string }[] } = JSON.parse(stdout);
  return data.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`);
}

async function runCurl(socket: string): Promise<{ stdout: string }> {
  const url = "http://localhost/api/v1/audit?limit=100";
  return { stdout: execFileSync("curl", ["-sS", "--unix-socket", socket, url], { encoding: "utf8" }) };
}

function headBytes(file: Buffer): number {
  return 22 + file.readUInt32BE(18) + 32;
}

/** A file system of its own; needs root. */
function smallDisk(root: string, name: string, size: string) {
  const mount = join(root, name);
  const filler = join(mount, "filler");
  mkdirSync(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", mount]);
  return {
    root: mount,
    /** Writes until no more than `room` bytes fit. */
    fill: (room: number) => {
      const file = openSync(filler, "a");
      for (let step = 65536; step >= 1; ) {
        try {
          if (writeSync(file, Buffer.alloc(step)) < step) step >>= 1;
        } catch {
          step >>= 1;
        }
      }
      closeSync(file);
      truncateSync(filler, Math.max(0, statSync(filler).size - room));
    },
    free: () => rmSync(filler),
    [Symbol.dispose]: () => void execFileSync("umount", ["-l", mount]),
  };
}

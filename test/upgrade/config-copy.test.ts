import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { probeFilesystem } from "#platform/storage/filesystem.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite, type SqliteOptions } from "#platform/storage/sqlite.ts";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { OFFLINE } from "#test/offline.ts";
import { placeStore } from "./stored.ts";

const STAMP = "20260101T000000000Z";

/** A data directory with an old store, and a configuration directory. */
function scratch() {
  const root = mkdtempSync(path.join(tmpdir(), "claviger-upgrade-"));
  const remove = () => rmSync(root, { recursive: true, force: true });
  const [dataDir, configDir] = [path.join(root, "data"), path.join(root, "data", "etc")];
  placeStore("8", dataDir);
  mkdirSync(configDir, { mode: 0o700 });
  const clock = new FakeClock();
  const write = (name: string, mode: number) => {
    const file = path.join(configDir, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const text = `${name} ${systemRandom.bytes(12).toString("hex")}`;
    writeFileSync(file, text);
    chmodSync(file, mode);
    return text;
  };
  const folder = path.join(dataDir, "db", "before-upgrade");
  const open = async (more: Partial<SqliteOptions> = {}) => {
    const config = { configDir, configFile: undefined };
    const database = await openSqlite({ dataDir, clock, config, ...more });
    await database.close();
  };
  return { root, dataDir, configDir, folder, clock, write, open, [Symbol.dispose]: remove };
}

test("[N12] the copy before an upgrade holds the configuration too, for its owner alone", async () => {
  using place = scratch();
  const { configDir, folder, write } = place;
  const files = [
    { name: "claviger.yaml", mode: 0o600, kept: 0o600 },
    { name: "version", mode: 0o644, kept: 0o600 },
    { name: "certs/claviger.crt", mode: 0o644, kept: 0o600 },
    { name: "certs/claviger.key", mode: 0o400, kept: 0o400 },
    { name: "credentials/cluster_salt", mode: 0o400, kept: 0o400 },
  ].map((file) => ({ ...file, text: write(file.name, file.mode) }));
  write("notes.txt", 0o600);
  mkdirSync(path.join(configDir, "certs", "old"));
  await place.open();
  expect(readdirSync(folder)).toEqual([`config-8-${STAMP}`, `data-8-${STAMP}.sqlite`]);
  const copy = path.join(folder, `config-8-${STAMP}`);
  const names = readdirSync(copy, { recursive: true, encoding: "utf8" });
  const found = names.filter((name) => statSync(path.join(copy, name)).isFile());
  expect(found.toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  for (const { name, text, kept } of files) {
    expect(readFileSync(path.join(copy, name), "utf8")).toBe(text);
    expect(statSync(path.join(copy, name)).mode & 0o777, name).toBe(kept);
  }
  for (const name of ["", "certs", "credentials"])
    expect(statSync(path.join(copy, name)).mode & 0o777).toBe(0o700);
});

test("[N12] no link is followed out of the configuration directory, and no pipe is read", async () => {
  using place = scratch();
  const { root, configDir, folder, write } = place;
  const outside = path.join(root, "outside");
  writeFileSync(outside, "somebody else's");
  const text = write("live/claviger.crt", 0o644);
  mkdirSync(path.join(configDir, "certs"));
  symlinkSync("../live/claviger.crt", path.join(configDir, "certs", "claviger.crt"));
  symlinkSync(outside, path.join(configDir, "certs", "claviger.key"));
  symlinkSync("nowhere", path.join(configDir, "certs", "dangling"));
  execFileSync("mkfifo", [path.join(configDir, "certs", "pipe")]);
  // The file that was named may be anywhere, unlike those that are found.
  const configFile = path.join(root, "named.yaml");
  writeFileSync(configFile, "settings: {}\n");
  await place.open({ config: { configDir, configFile } });
  const copy = path.join(folder, `config-8-${STAMP}`);
  expect(readdirSync(path.join(copy, "certs"))).toEqual(["claviger.crt", "claviger.key"]);
  expect(lstatSync(path.join(copy, "certs", "claviger.crt")).isFile()).toBe(true);
  expect(readFileSync(path.join(copy, "certs", "claviger.crt"), "utf8")).toBe(text);
  expect(readlinkSync(path.join(copy, "certs", "claviger.key"))).toBe(outside);
  expect(readFileSync(path.join(copy, "claviger.yaml"), "utf8")).toBe("settings: {}\n");
});

test("[N12] of four upgrades the copies of the newest three are kept, and of a copy that was cut off nothing", async () => {
  using place = scratch();
  const { folder, clock, write } = place;
  write("claviger.yaml", 0o600);
  const more = [1, 2, 3].map((number) => ({
    number: MIGRATIONS.length + number,
    name: `next-${number}`,
    sql: `CREATE TABLE next_${number} (id INTEGER)`,
  }));
  mkdirSync(path.join(folder, "config-8-20251231T000000000Z.new", "certs"), { recursive: true });
  mkdirSync(path.join(folder, "config-8-20251231T000000000Z"));
  for (const count of [0, 1, 2, 3]) {
    await place.open({ migrations: [...MIGRATIONS, ...more.slice(0, count)] });
    clock.advance(60_000);
  }
  const kept = [0, 1, 2].map((more) => `${MIGRATIONS.length + more}-20260101T000${more + 1}00000Z`);
  const names = [...kept.map((name) => `config-${name}`), ...kept.map((name) => `data-${name}.sqlite`)];
  expect(readdirSync(folder).toSorted()).toEqual(names);
  for (const name of kept)
    expect(existsSync(path.join(folder, `config-${name}`, "claviger.yaml"))).toBe(true);
});

test("[N12] room is asked for both, and without it there is no upgrade", async () => {
  using place = scratch();
  const { dataDir, folder, configDir } = place;
  writeFileSync(path.join(configDir, "claviger.yaml"), `# ${"x".repeat(100_000)}\n`);
  const store = path.join(dataDir, "db", "data.sqlite");
  const before = readFileSync(store);
  const freeBytes = 2 * before.length + 100_000;
  const filesystem = (directory: string) => ({ ...probeFilesystem(directory), freeBytes });
  await expect(place.open({ filesystem })).rejects.toThrow("for a copy of store and configuration");
  expect([existsSync(folder), readFileSync(store).equals(before)]).toEqual([false, true]);
  rmSync(path.join(configDir, "claviger.yaml"));
  await place.open({ filesystem });
  expect(readdirSync(folder)).toHaveLength(2);
});

test("[N12] a server that upgrades its store copies the configuration that it was started with", async () => {
  using place = scratch();
  const yaml = "settings:\n  log_level: info\n";
  const options = { dataDir: place.dataDir, clock: new FakeClock(), egress: OFFLINE, yaml };
  await using _server = await startClaviger(options);
  const copy = path.join(place.folder, `config-8-${STAMP}`, "claviger.yaml");
  expect(readFileSync(copy, "utf8")).toBe(yaml);
});

test("[N12] with the copy in its place the program of before starts again", async () => {
  using place = scratch();
  const { dataDir, folder, clock } = place;
  const store = path.join(dataDir, "db", "data.sqlite");
  await place.open();
  clock.advance(60_000);
  const next = { number: MIGRATIONS.length + 1, name: "next", sql: "CREATE TABLE next (id INTEGER)" };
  await place.open({ migrations: [...MIGRATIONS, next] });
  await expect(place.open()).rejects.toThrow("knows versions up to");
  for (const end of ["", "-wal", "-shm"]) rmSync(store + end, { force: true });
  cpSync(path.join(folder, `data-${MIGRATIONS.length}-20260101T000100000Z.sqlite`), store);
  await place.open();
});

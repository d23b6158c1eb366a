import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StartError } from "#platform/lib/error.ts";
import { seededRandom } from "#test/seeded-random.ts";
import {
  createMachineKey,
  destroyMachineKey,
  machineKeyPath,
  markPassphraseSet,
  passphraseMarkPath,
  readMachineKey,
} from "./machine-key.ts";

let dataDir: string;
let secretsDir: string;
let path: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "claviger-machine-key-"));
  secretsDir = join(dataDir, "secrets");
  path = machineKeyPath(secretsDir);
});
afterEach(() => rm(dataDir, { recursive: true }));

test("the file is made 0400 in a directory 0700, in base64url, and reads back as the same key", async () => {
  const made = await createMachineKey(secretsDir, seededRandom(5));
  const text = await readFile(path, "latin1");
  expect(text).toBe(`${seededRandom(5).bytes(32).toString("base64url")}\n`);
  expect((await stat(path)).mode & 0o7777).toBe(0o400);
  expect((await stat(secretsDir)).mode & 0o7777).toBe(0o700);
  const read = await readMachineKey(secretsDir);
  expect(read?.equals(made)).toBe(true);
});

test("a directory that others could enter is closed to them", async () => {
  await mkdir(secretsDir);
  await chmod(secretsDir, 0o755);
  await createMachineKey(secretsDir, seededRandom());
  expect((await stat(secretsDir)).mode & 0o7777).toBe(0o700);
});

test("no file and no directory is no key", async () => {
  expect(await readMachineKey(secretsDir)).toBeUndefined();
  await mkdir(secretsDir);
  expect(await readMachineKey(secretsDir)).toBeUndefined();
});

const good = seededRandom(6).bytes(32).toString("base64url");
test.each([
  ["nothing", ""],
  ["no newline", good],
  ["two newlines", `${good.slice(1)}\n\n`],
  ["a return before the newline", `${good.slice(1)}\r\n`],
  ["a space in front", ` ${good.slice(1)}\n`],
  ["the other base64 alphabet", `+${good.slice(1)}\n`],
  ["bits beyond the last byte", `${"A".repeat(42)}B\n`],
  ["hexadecimal", `${"0".repeat(64)}\n`],
  ["zero bytes", "\0".repeat(44)],
])("a file with %s is refused by name", async (_, text) => {
  await mkdir(secretsDir);
  await writeFile(path, text, { mode: 0o400 });
  await expect(readMachineKey(secretsDir)).rejects.toThrow(StartError);
  await expect(readMachineKey(secretsDir)).rejects.toThrow(path);
});

test.each([0o440, 0o404, 0o420, 0o401, 0o644])("mode %o is refused, with the repair", async (mode) => {
  await createMachineKey(secretsDir, seededRandom());
  await chmod(path, mode);
  await expect(readMachineKey(secretsDir)).rejects.toThrow(`chmod 0400 ${path}`);
  await chmod(path, 0o400);
  expect(await readMachineKey(secretsDir)).toBeDefined();
});

test("[S2] destroyed, its bytes are overwritten where they lie, and nothing is left; again does nothing", async () => {
  await mkdir(join(dataDir, "db"));
  await createMachineKey(secretsDir, seededRandom(5));
  const sameFile = join(dataDir, "second-name");
  await link(path, sameFile);
  await destroyMachineKey(secretsDir, seededRandom(7));
  expect((await readFile(sameFile)).equals(seededRandom(7).bytes(44))).toBe(true);
  expect([await readdir(secretsDir), await readdir(join(dataDir, "db"))]).toEqual([[], []]);
  await destroyMachineKey(secretsDir, seededRandom(7));
});

test.each([
  0o400, 0o600,
])("[S2] [S13] what a crash left of it half way, with mode %o, is destroyed too", async (mode) => {
  await mkdir(join(dataDir, "db"));
  await createMachineKey(secretsDir, seededRandom(5));
  const left = join(dataDir, "db", "machine.key.removing");
  await rename(path, left);
  await chmod(left, mode);
  await destroyMachineKey(secretsDir, seededRandom(7));
  expect(await readdir(join(dataDir, "db"))).toEqual([]);
});

test("the mark that a passphrase is set is 0400, tells a reader what it is, and is written once", async () => {
  await markPassphraseSet(secretsDir);
  const mark = passphraseMarkPath(secretsDir);
  const before = await stat(mark);
  expect([before.mode & 0o7777, (await stat(secretsDir)).mode & 0o7777]).toEqual([0o400, 0o700]);
  expect(await readFile(mark, "utf8")).toContain("no secret");
  await markPassphraseSet(secretsDir);
  expect((await stat(mark)).ino).toBe(before.ino);
});

test("a link and a directory in its place are refused", async () => {
  await createMachineKey(secretsDir, seededRandom());
  await rename(path, join(dataDir, "elsewhere"));
  await symlink(join(dataDir, "elsewhere"), path);
  await expect(readMachineKey(secretsDir)).rejects.toThrow(StartError);
  await rm(path);
  await mkdir(path);
  await expect(readMachineKey(secretsDir)).rejects.toThrow(StartError);
});

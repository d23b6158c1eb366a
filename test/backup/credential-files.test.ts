import { chmodSync, existsSync, mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { CREDENTIAL_FILES, readCredentialSet } from "../../src/services/cluster/credential-set.ts";
import {
  type DiskSteps,
  finishWriting,
  realDisk,
  writeCredentialSet,
} from "../../src/services/cluster/write-credential-set.ts";
import { readConfigEntries } from "../../src/vault/backup/config-files.ts";
import { newSecret, restoreElsewhere, takeBackup } from "./backup-talk.ts";

vi.setConfig({ testTimeout: 60_000 });

const OWNER = process.getuid?.() ?? 0;
const WRITINGS = 4;

/** The files of one writing: each says of which. */
function setOf(writing: number | string) {
  const text = (file: string) => `${file} of writing ${writing}`;
  return {
    "node.key": text("node.key"),
    pin_derived_key: text("pin_derived_key"),
    pin_hash: text("pin_hash"),
    "cluster.json": text("cluster.json"),
  };
}

/** What the writings of these sets, one after the other, do to the disk, each step to be done in another directory. */
function stepsOf(sets: readonly ReturnType<typeof setOf>[]): ((directory: string) => void)[] {
  using scratch = mkdtempDisposableSync(join(tmpdir(), "claviger-steps-"));
  const steps: ((directory: string) => void)[] = [];
  const at = (directory: string, path: string) => join(directory, basename(path));
  const disk: DiskSteps = {
    create: (path, text) => {
      realDisk.create(path, text);
      steps.push((directory) => realDisk.create(at(directory, path), text));
    },
    rename: (from, to) => {
      realDisk.rename(from, to);
      steps.push((directory) => realDisk.rename(at(directory, from), at(directory, to)));
    },
    remove: (path) => {
      realDisk.remove(path);
      steps.push((directory) => realDisk.remove(at(directory, path)));
    },
    sync: () => {},
  };
  for (const set of sets) writeCredentialSet(scratch.path, set, disk);
  return steps;
}

/** The credentials that a backup of `configDir`, made now, brings back. */
async function broughtBack(configDir: string) {
  using restored = mkdtempDisposableSync(join(tmpdir(), "claviger-brought-back-"));
  chmodSync(restored.path, 0o700);
  for (const { name, content } of await readConfigEntries({ configDir, configFile: undefined })) {
    if (dirname(name) !== "etc/credentials") continue;
    const bytes = await Array.fromAsync(content);
    writeFileSync(join(restored.path, basename(name)), Buffer.concat(bytes), { mode: 0o400 });
  }
  return readCredentialSet(restored.path, OWNER);
}

test.each([
  1, 2, 3, 5, 9, 17,
])("[S14] [C9] written again and again meanwhile, a step each %d turns, the credentials in a backup are those of one writing", async (turns) => {
  using place = mkdtempDisposableSync(join(tmpdir(), "claviger-written-"));
  const credentials = join(place.path, "credentials");
  const sets = Array.from({ length: WRITINGS + 1 }, (_, writing) => setOf(writing));
  const [first = setOf(0), ...others] = sets;
  writeCredentialSet(credentials, first);
  const write = async () => {
    for (const step of stepsOf(others)) {
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      step(credentials);
    }
  };
  const written = write();
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([written.then(() => true), nextTurn(false)]);
    expect(sets).toContainEqual(await broughtBack(place.path));
  }
  expect(await broughtBack(place.path)).toEqual(sets.at(-1));
});

test("[S14] [C9] a backup made at any step of a writing brings back the old set or the new one", async () => {
  using place = mkdtempDisposableSync(join(tmpdir(), "claviger-written-"));
  const credentials = join(place.path, "credentials");
  writeCredentialSet(credentials, setOf("old"));
  const seen: unknown[] = [];
  for (const step of stepsOf([setOf("new")])) {
    step(credentials);
    seen.push(await broughtBack(place.path));
  }
  const firstNew = seen.findIndex((set) => JSON.stringify(set) === JSON.stringify(setOf("new")));
  expect(firstNew).toBeGreaterThan(0);
  expect(seen).toEqual(seen.map((_, at) => setOf(at < firstNew ? "old" : "new")));
});

test("[S14] [C9] credentials that are restored over a writing that was cut off are those of the backup alone", async () => {
  const password = newSecret();
  let backup: Buffer;
  {
    await using claviger = await startClaviger();
    writeCredentialSet(join(claviger.dataDir, "etc", "credentials"), setOf("backup"));
    backup = (await takeBackup(claviger, { password: password.expose(), with_config: true })).bytes;
  }
  using elsewhere = mkdtempDisposableSync(join(tmpdir(), "claviger-cut-off-"));
  const dataDir = join(elsewhere.path, "data");
  {
    await using _other = await startClaviger({ dataDir });
  }
  const credentials = join(dataDir, "etc", "credentials");
  const steps = stepsOf([setOf("there")]);
  mkdirSync(credentials, { recursive: true, mode: 0o700 });
  for (const step of steps) {
    if (existsSync(join(credentials, ".commit"))) break;
    step(credentials);
  }
  using _restored = await restoreElsewhere(backup, { password, dataDir });
  expect(readCredentialSet(credentials, OWNER)).toEqual(setOf("backup"));
  finishWriting(credentials);
  expect(CREDENTIAL_FILES.map((file) => readCredentialSet(credentials, OWNER)?.[file])).toEqual(
    CREDENTIAL_FILES.map((file) => setOf("backup")[file]),
  );
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commitReplacement, discardStaged, finishReplacement, type Rename, stageReplacement } from "./replacement.ts";

const OLD = {
  "db/data.sqlite": "old store",
  "db/data.sqlite-wal": "old log",
  "secrets/machine.key": "old key",
  "secrets/jwt_secret": "stays",
};
const NEW = { "db/data.sqlite": "new store", "secrets/api_key_secret": "new secret", "etc/certs/a": "new" };
const plan = {
  incoming: Object.keys(NEW),
  leaving: ["db/data.sqlite", "db/data.sqlite-wal", "secrets/machine.key"],
  aside: "restore/replaced-1",
};
const REPLACED = { ...NEW, "secrets/jwt_secret": "stays" };
const KEPT = {
  "db/data.sqlite": "old store",
  "db/data.sqlite-wal": "old log",
  "secrets/machine.key": "old key",
};

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-replacement-"));
  for (const [path, text] of Object.entries(OLD)) write(join(dataDir, path), text);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test("[S13] [S14] stopped at any step, the old files or the new ones are there wholly once it is finished, and nothing is lost", () => {
  const steps = countSteps();
  expect(steps).toBe(1 + plan.leaving.length + plan.incoming.length);
  for (let stop = 0; stop < steps; stop++) {
    reset();
    stage();
    expect(() => replace(stoppingAt(stop))).toThrow("stopped");
    finishReplacement(dataDir);
    expect(files(), `stopped before step ${stop}`).toEqual(stop === 0 ? OLD : REPLACED);
    if (stop > 0) expect(files(join(dataDir, plan.aside))).toEqual(KEPT);
    expect(finishReplacement(dataDir)).toEqual([]);
  }
});

test("[S13] stopped while it finishes, and again and again, it ends with the new files", () => {
  stage();
  commitReplacement(dataDir, plan);
  // Each time one step further than the one before, but for the last.
  for (let more = plan.leaving.length + plan.incoming.length; more > 1; more--)
    expect(() => finishReplacement(dataDir, stoppingAt(1))).toThrow("stopped");
  expect(finishReplacement(dataDir)).toEqual(plan.incoming);
  expect(files()).toEqual(REPLACED);
  expect(files(join(dataDir, plan.aside))).toEqual(KEPT);
});

test("[S14] what was staged and not decided leaves no trace", () => {
  stage();
  expect(finishReplacement(dataDir)).toEqual([]);
  stage();
  discardStaged(dataDir);
  expect(files()).toEqual(OLD);
  expect(readdirSync(dataDir).sort()).toEqual(["db", "secrets"]);
});

test("[N8] what it makes is closed to others", () => {
  stage();
  commitReplacement(dataDir, plan);
  finishReplacement(dataDir);
  for (const path of ["restore", "restore/replaced-1", "etc", "etc/certs"])
    expect(statSync(join(dataDir, path)).mode & 0o777, path).toBe(0o700);
});

function stage(): void {
  const staged = stageReplacement(dataDir);
  for (const [path, text] of Object.entries(NEW)) write(join(staged, path), text);
}

function replace(rename: Rename): void {
  commitReplacement(dataDir, plan, rename);
  finishReplacement(dataDir, rename);
}

function countSteps(): number {
  let steps = 0;
  stage();
  replace((from, to) => {
    steps += 1;
    renameSync(from, to);
  });
  return steps;
}

function stoppingAt(step: number): Rename {
  let done = 0;
  return (from, to) => {
    if (done++ === step) throw new Error("stopped");
    renameSync(from, to);
  };
}

function reset(): void {
  rmSync(dataDir, { recursive: true });
  mkdirSync(dataDir);
  for (const [path, text] of Object.entries(OLD)) write(join(dataDir, path), text);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Text by path, those of `restore` left out. */
function files(root = dataDir): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const own = paths.filter((path) => !path.startsWith("restore/"));
  return Object.fromEntries(own.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import type { Expected } from "./beginnings.ts";
import { scenarioOf } from "./scenarios.ts";
import { openSubject } from "./subject.ts";
import { openWatched } from "./watched-store.ts";
import { expectOpens, expectWhole } from "./whole.ts";

test.each([
  "initialize",
  "rotate",
])("[S13] %s: what lies on the disk at each step, as a kill would leave it, is whole", {
  timeout: 120_000,
}, async (name) => {
  using place = scratch();
  const { states, expected } = await statesOf(name, place.root);
  expect(states.length).toBeGreaterThan(1);
  const { current, next } = expected.input;
  const keys: (string | null)[] = [];
  const last = states.pop() ?? "";
  for (const state of states) keys.push(await expectOpens(state, expected, undefined));
  keys.push(await expectWhole(last, { ...expected, sealed: [] }, undefined));
  // Either key at every step, but the new one for good once it is in force.
  const exchanged = keys.indexOf(next);
  expect(keys).toEqual(keys.map((_, at) => (at < exchanged ? current : next)));
  expect([keys[0], keys.at(-1)]).toEqual([current, next]);
});

/** The directories that a kill would leave, from before a scenario's change to its end, each but once. */
async function statesOf(name: string, root: string): Promise<{ states: string[]; expected: Expected }> {
  const { prepare, begin, act } = scenarioOf(name);
  if (typeof prepare !== "function") throw new Error(`${name} begins with a crash`);
  const dataDir = path.join(root, "data");
  const expected = await prepare(dataDir);
  const states = new Map<string, string>();
  let watching = false;
  const look = () => {
    const digest = digestOf(dataDir);
    if (!watching || states.has(digest)) return;
    const copy = path.join(root, `state-${states.size}`);
    execFileSync("cp", ["-a", dataDir, copy]);
    states.set(digest, copy);
  };
  const open = (clock: Parameters<typeof openWatched>[1]) => openWatched(dataDir, clock, look);
  await using subject = await openSubject(dataDir, systemRandom, open);
  await begin?.(subject, expected.input);
  watching = true;
  await act?.(subject, expected.input);
  await subject.seal.settled();
  look();
  watching = false;
  return { states: [...states.values()], expected };
}

/** Of all names and contents, but for what SQLite shares between processes, and where the audit's chain had come to. */
function digestOf(directory: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const file = path.join(directory, name);
    if (name.endsWith("-shm") || name.endsWith("audit.anchor") || !lstatSync(file).isFile()) continue;
    hash.update(name).update(readFileSync(file));
  }
  return hash.digest("hex");
}

function scratch(): { readonly root: string } & Disposable {
  const root = mkdtempSync(path.join(tmpdir(), "claviger-states-"));
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { checkModes } from "#platform/config/modes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import type { Said } from "./driver.ts";
import type { Expected } from "./scenarios.ts";
import { addProvider, configOf, openSubject, readSecrets } from "./subject.ts";

/** What may lie in a data directory whose server has ended in order. */
const FILES = [
  /^db\/(data|lock)\.sqlite$/,
  /^db\/before-upgrade\/data-\d+-\d{8}T\d{9}Z\.sqlite$/,
  /^secrets\/(machine\.key|jwt_secret|api_key_secret)$/,
  /^etc\/version$/,
];

/**
 * Starts anew on a directory that a crash left, and expects everything of it that must have outlived the crash.
 * `said` is what the struck process answered before it ended, if anything.
 */
export async function expectWhole(
  dataDir: string,
  expected: Expected,
  said: Said | undefined,
): Promise<void> {
  {
    await using subject = await openSubject(dataDir, systemRandom);
    const found = await readSecrets(subject);
    expectSecrets(found, expected, said);
    await addProvider(subject, "afterwards", "stored after the crash");
  }
  {
    await using subject = await openSubject(dataDir, systemRandom);
    expect((await readSecrets(subject)).get("afterwards")).toBe("stored after the crash");
  }
  expectInOrder(dataDir);
}

function expectSecrets(
  found: ReadonlyMap<string, string>,
  { secrets, input }: Expected,
  said: Said | undefined,
): void {
  const added = new Map(Object.entries(input.added));
  const kept = new Map([...found].filter(([name]) => !added.has(name)));
  expect(kept).toEqual(secrets);
  for (const [name, secret] of added)
    expect(said?.done === true ? [secret] : [secret, undefined]).toContain(found.get(name));
  // What the struck process read at its end is what was stored, too.
  for (const [name, secret] of said?.secrets ?? []) expect(secrets.get(name) ?? added.get(name)).toBe(secret);
  if (said?.secrets) expect(said.secrets.length).toBeGreaterThanOrEqual(secrets.size);
}

/** Modes as they are made, and no file that is no part of a store. */
function expectInOrder(dataDir: string): void {
  const running = { uid: process.getuid?.() ?? 0 };
  expect(checkModes(configOf(dataDir), running)).toEqual([]);
  const names = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => lstatSync(path.join(dataDir, name)).isFile());
  expect(files.filter((name) => !FILES.some((pattern) => pattern.test(name)))).toEqual([]);
}

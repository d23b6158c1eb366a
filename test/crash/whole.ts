import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { checkModes } from "#platform/config/modes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { BY } from "#test/test-seal.ts";
import type { Expected } from "./beginnings.ts";
import type { Said } from "./driver.ts";
import { addProvider, configOf, openSubject, readSecrets, type Subject } from "./subject.ts";

const COPY = /^db\/before-upgrade\/data-(\d+-\d{8}T\d{9}Z)\.sqlite$/;
const CONFIG_COPY = /^db\/before-upgrade\/config-\d+-\d{8}T\d{9}Z\/(version|claviger\.yaml)$/;
/** What may lie in a data directory whose server has ended in order, before a server key is set and after. */
const FILES = [
  /^db\/(data|lock)\.sqlite$/,
  COPY,
  CONFIG_COPY,
  /^db\/audit\.anchor$/,
  /^secrets\/(jwt_secret|api_key_secret|audit_secret)$/,
  /^etc\/(version|claviger\.yaml)$/,
];
/** What was replaced by a restore is kept. */
const REPLACED = /^restore\/replaced-\d{8}T\d{9}Z\//;
const TRAVELLING = "API_KEY_SECRET";
const KEY_FILES = { set: "secrets/passphrase-set", unset: "secrets/machine.key" };

/**
 * Starts anew on a directory that a crash left, and expects everything of it that must have outlived the crash.
 * `said` is what the struck process answered before it ended, if anything. `sealed` are the values as they lay in the
 * store before. Gives the server key that opens it, null where none is set.
 */
export async function expectWhole(
  dataDir: string,
  expected: Expected & { readonly sealed: readonly Uint8Array[] },
  said: Said | undefined,
): Promise<string | null> {
  const key = await expectOpens(dataDir, expected, said);
  {
    await using subject = await openSubject(dataDir, systemRandom);
    if (key !== null) await subject.seal.unlock(new Secret(key), BY);
    expect((await readSecrets(subject)).get("afterwards")).toBe("stored after the crash");
    await expectCleaned(subject);
  }
  expectInOrder(dataDir, key);
  if (key !== null && (key !== expected.input.current || expected.refused))
    expectGone(dataDir, expected.sealed);
  return key;
}

/** The first of that: one key opens it, and every secret reads back; another is stored, too. Gives the key. */
export async function expectOpens(
  dataDir: string,
  expected: Expected,
  said: Said | undefined,
): Promise<string | null> {
  await using subject = await openSubject(dataDir, systemRandom);
  const key = await findKey(subject, expected, said);
  const secrets = await readSecrets(subject);
  expectSecrets(secrets, { ...expected, key }, said);
  expectApiKeySecret(dataDir, secrets);
  await subject.seal.settled();
  await addProvider(subject, "afterwards", "stored after the crash");
  return key;
}

/** Opens it with the one of the two keys that does; the other is refused, and so are all earlier ones. */
async function findKey(
  { seal }: Subject,
  { input, refused = [] }: Expected,
  said: Said | undefined,
): Promise<string | null> {
  const opens = async (key: string) => {
    const error = await seal.unlock(new Secret(key), BY).catch((caught: unknown) => caught);
    if (error === undefined) return true;
    const code = seal.status().initialized ? "wrong_key" : "key_not_initialized";
    expect(error).toMatchObject({ code });
    return false;
  };
  const found: string[] = [];
  const { current, next } = input;
  const keys = [current, next, ...refused].filter((key) => key !== null);
  for (const key of new Set(keys)) if (await opens(key)) found.push(key);
  expect(found.length).toBe(seal.status().initialized ? 1 : 0);
  const [key = null] = found;
  expect(said?.done === true ? [next] : [current, next]).toContain(key);
  return key;
}

function expectSecrets(
  found: ReadonlyMap<string, string>,
  { secrets: held, restored = held, input, key }: Expected & { readonly key: string | null },
  said: Said | undefined,
): void {
  const secrets = key === input.next ? restored : held;
  const added = new Map(Object.entries(input.added));
  // The copy that each store has of the one secret that goes along in backups, where there was none before.
  const made = secrets.has(TRAVELLING) ? [] : [TRAVELLING];
  const kept = new Map([...found].filter(([name]) => !added.has(name) && !made.includes(name)));
  expect(kept).toEqual(secrets);
  for (const [name, secret] of added)
    expect(said?.done === true ? [secret] : [secret, undefined]).toContain(found.get(name));
  // What the struck process read at its end is what was stored, too.
  for (const [name, secret] of said?.secrets ?? []) expect(found.get(name)).toBe(secret);
  if (said?.secrets) expect(said.secrets.length).toBeGreaterThanOrEqual(secrets.size);
}

/** The one that the server goes by is the one that its store holds a copy of. */
function expectApiKeySecret(dataDir: string, found: ReadonlyMap<string, string>): void {
  const file = path.join(dataDir, "secrets", "api_key_secret");
  expect(readFileSync(file, "utf8").trimEnd()).toBe(found.get(TRAVELLING));
}

/** Nothing is left to do of what a crash cut off: one term, and nothing to clean. */
async function expectCleaned({ database, seal }: Subject): Promise<void> {
  await seal.settled();
  const { query } = database;
  expect((await query.selectFrom("seal_term").select("term").execute()).length).toBe(1);
  expect(await query.selectFrom("seal_state").select("cleaning").execute()).toEqual([{ cleaning: 0 }]);
  const slots = await query.selectFrom("seal_slot").select("kind").execute();
  expect(slots.some(({ kind }) => kind === "machine")).toBe(!seal.status().initialized);
}

/** Modes as they are made, and no file that is no part of a store. */
export function expectInOrder(dataDir: string, key: string | null): void {
  const running = { uid: process.getuid?.() ?? 0 };
  expect(checkModes(configOf(dataDir), running)).toEqual([]);
  const names = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => lstatSync(path.join(dataDir, name)).isFile() && !REPLACED.test(name));
  for (const name of files.filter((each) => COPY.test(each))) expectSound(dataDir, name);
  const others = files.filter((name) => !FILES.some((pattern) => pattern.test(name)));
  expect(others).toEqual([key === null ? KEY_FILES.unset : KEY_FILES.set]);
}

/** A whole store, and not the beginning of one; and the configuration beside it. */
function expectSound(dataDir: string, name: string): void {
  const copy = path.join(dataDir, name);
  const config = path.join(path.dirname(copy), `config-${COPY.exec(name)?.[1]}`, "claviger.yaml");
  const written = path.join(dataDir, "etc", "claviger.yaml");
  if (existsSync(written)) expect(readFileSync(config, "utf8")).toBe(readFileSync(written, "utf8"));
  using database = new DatabaseSync(copy, { readOnly: true, timeout: 5000 });
  expect(database.prepare("PRAGMA integrity_check").get()?.integrity_check, copy).toBe("ok");
  // Whatever was reached: an upgrade that was cut off goes on from there, and copies that.
  expect(database.prepare("SELECT max(number) AS version FROM migration").get()?.version).toBeGreaterThan(0);
}

/** What older keys sealed is not in the files any more. */
function expectGone(dataDir: string, sealed: readonly Uint8Array[]): void {
  const bytes = readFileSync(path.join(dataDir, "db", "data.sqlite"));
  expect(sealed.filter((value) => bytes.includes(Buffer.from(value))).length).toBe(0);
}

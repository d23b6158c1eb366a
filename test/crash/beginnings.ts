import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { BY } from "#test/test-seal.ts";
import { listStores, placeStore } from "../upgrade/stored.ts";
import { writeBackup } from "./offline.ts";
import { addProvider, openSubject, putNamed, readSecrets } from "./subject.ts";

/** What a scenario's process is told, as JSON. */
export const inputShape = z.object({
  /** Secrets to store, by the provider's name. */
  added: z.record(z.string(), z.string()).default({}),
  /** The server key at the beginning, and the one that is to be; null for none. */
  current: z.string().nullable().default(null),
  next: z.string().nullable().default(null),
  /** The file to restore. */
  backup: z.string().default(""),
});
export type Input = z.infer<typeof inputShape>;

/** What has to hold of a directory after a scenario, however it ended. */
export interface Expected {
  readonly input: Input;
  /** Secrets that are there afterwards in any case, by the name of their owner. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Those that are there in their place once a backup was restored. */
  readonly restored?: ReadonlyMap<string, string>;
  /** Server keys that must open nothing any more. */
  readonly refused?: readonly string[];
}

/** Secrets of each kind. */
const HELD = 5;

export function inputOf(given: Partial<Input>): Input {
  return { added: {}, current: null, next: null, backup: "", ...given };
}

/** Makes a store with secrets in every sealed column, and gives them by their owner's name. */
export async function fill(dataDir: string): Promise<Map<string, string>> {
  await using subject = await openSubject(dataDir, systemRandom);
  for (let count = 0; count < HELD; count++) {
    await addProvider(subject, `provider-${count}`, newSecret());
    await putNamed(subject, `named-${count}`, newSecret());
  }
  return await readSecrets(subject);
}

/** The same under a server key. */
export async function initialized(dataDir: string): Promise<Expected> {
  const secrets = await fill(dataDir);
  const key = newKey();
  await using subject = await openSubject(dataDir, systemRandom);
  await subject.seal.initialize(new Secret(key), { recovery: true, by: BY });
  await subject.seal.settled();
  return { input: inputOf({ current: key, next: key }), secrets };
}

/** A store as the oldest program wrote it, and a configuration. */
export async function oldStore(dataDir: string): Promise<Expected> {
  const [oldest = ""] = listStores();
  placeStore(oldest, `${dataDir}-read`);
  placeStore(oldest, dataDir);
  mkdirSync(path.join(dataDir, "etc"), { mode: 0o700 });
  writeFileSync(path.join(dataDir, "etc", "claviger.yaml"), "settings: {}\n", { mode: 0o600 });
  await using subject = await openSubject(`${dataDir}-read`, systemRandom);
  return { input: inputOf({}), secrets: await readSecrets(subject) };
}

/** Makes the backup of a server elsewhere, with secrets under a server key. */
export async function backedUp(dataDir: string): Promise<Expected> {
  const elsewhere = `${dataDir}-elsewhere`;
  const backup = `${dataDir}.backup`;
  const { input, secrets } = await initialized(elsewhere);
  await writeBackup(elsewhere, backup);
  return { input: inputOf({ next: input.next, backup }), secrets };
}

export function newSecret(): string {
  return `sk-test-${systemRandom.bytes(24).toString("base64url")}`;
}

export function newKey(): string {
  return `server key ${systemRandom.bytes(12).toString("base64url")}`;
}

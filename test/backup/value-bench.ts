import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { claviger, type Ended, scratch } from "../start/process.ts";
import { storeAsText } from "../upgrade/store-text.ts";
import { takeBackup } from "./backup-talk.ts";

const CHAT = { model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] };
const report = z.object({ failed: z.array(z.object({ table: z.string(), id: z.string() })) });

/** A data directory, the servers that run on it one after the other, and backups of it. */
export class ValueBench implements Disposable {
  readonly #place = scratch();
  readonly dataDir = this.#place.path;
  readonly root = this.#place.root;

  start(): Promise<TestClaviger> {
    return startClaviger({ dataDir: this.dataDir });
  }

  /** Starts the server, and unlocks it with this key. */
  async unlocked(key: Secret): Promise<TestClaviger> {
    const server = await this.start();
    await post(server, "unlock", { key: key.expose() });
    return server;
  }

  /** Writes a backup of the running server to a file. */
  async backup(server: TestClaviger, name: string, body?: object): Promise<string> {
    const file = join(this.root, name);
    const { status, bytes } = await takeBackup(server, body);
    if (status !== 200) throw new Error(`no backup: ${status} ${bytes.toString()}`);
    writeFileSync(file, bytes);
    return file;
  }

  /** `claviger restore FILE --only VALUE …`, as a process of its own. */
  restore(file: string, values: readonly string[], more: readonly string[] = [], input = ""): Promise<Ended> {
    const only = values.flatMap((value) => ["--only", value]);
    return claviger(["restore", file, ...only, "--data-dir", this.dataDir, ...more], { input });
  }

  /** Everything in the stopped server's store, as SQL text, a row a line. */
  text(): string {
    return storeAsText(this.#file);
  }

  /** Changes the stopped server's store, as a failing disk or somebody with another program does. */
  change(statement: string, ...values: readonly (string | Uint8Array)[]): void {
    using store = new DatabaseSync(this.#file, { timeout: 5000 });
    store.prepare(statement).run(...values);
  }

  /** The first column of the one row that the query gives. */
  read(query: string, ...values: readonly string[]): string {
    using store = new DatabaseSync(this.#file, { readOnly: true, timeout: 5000 });
    return String(Object.values(store.prepare(query).get(...values) ?? {})[0]);
  }

  get #file(): string {
    return join(this.dataDir, "db", "data.sqlite");
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }
}

/** Overwrites four bytes of the stored value, within what is sealed. It stays bytes: alone, || makes text of them. */
export const DAMAGE = "SET sealed = CAST(substr(sealed, 1, 24) || x'00ff00ff' || substr(sealed, 29) AS BLOB)";

export async function initialize(server: TestClaviger, key: Secret): Promise<void> {
  await post(server, "initialize", { key: key.expose() });
}

/** What a rotation says did not open, each as `TABLE/ID`. */
export async function rotate(server: TestClaviger, current: Secret, next: Secret): Promise<string[]> {
  const json = await post(server, "rotate", { current_key: current.expose(), new_key: next.expose() });
  return report.parse(json).failed.map(({ table, id }) => `${table}/${id}`);
}

/** Status of one chat with this key. */
export async function chat(server: TestClaviger, key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return (await server.call({ method: "POST", path: "/v1/chat/completions", headers, body: CHAT })).status;
}

const records = z.object({
  data: z.array(z.object({ action: z.string(), target: z.string().nullable(), outcome: z.string() })),
});

/** What is recorded of restores, the oldest first: `OUTCOME TARGET`. */
export async function restoresRecorded(server: TestClaviger): Promise<string[]> {
  const { json } = await server.control({ path: "/api/v1/audit?action=key.restore&order=oldest" });
  return records.parse(json).data.map(({ outcome, target }) => `${outcome} ${target}`);
}

async function post(server: TestClaviger, path: string, body: object): Promise<unknown> {
  const answer = await server.control({ method: "POST", path: `/api/v1/key/${path}`, body });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

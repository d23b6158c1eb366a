import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuditReport, verifyAudit } from "#gates/audit/index.ts";
import { readAuditSecret } from "#platform/config/secrets.ts";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";

const CHECKPOINT_EVERY_MS = 5 * 60_000;

/** A directory of its own, gone at the end. */
export function scratch(): { readonly root: string } & Disposable {
  const root = mkdtempSync(path.join(tmpdir(), "claviger-audit-"));
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/**
 * Runs a server on the directory and ends it: each key made is one record; after each name a checkpoint is due.
 * `hour`: of the clock's first day.
 */
export async function recordKeys(dataDir: string, names: readonly string[], hour = 0): Promise<void> {
  const clock = new FakeClock();
  clock.advance(hour * 3_600_000);
  await using server = await startClaviger({ dataDir, clock, workers: 1 });
  for (const name of names) {
    await server.issueKey(`${name}-1`);
    await server.issueKey(`${name}-2`);
    clock.advance(CHECKPOINT_EVERY_MS);
    await server.control({ path: "/api/v1/audit" });
  }
}

/** A copy of a stopped server's directory. */
export function copyOf(from: string, to: string): string {
  cpSync(from, to, { recursive: true });
  for (const below of ["", "db", "secrets", "run", "etc"]) chmodSync(path.join(to, below), 0o700);
  return to;
}

/** Edits a stopped server's store as who has its file and no secret; its triggers are there again afterwards. */
export function tamper(dataDir: string, edit: (store: DatabaseSync) => void): void {
  const store = new DatabaseSync(storeOf(dataDir), { timeout: 5000 });
  const triggers = store.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  const ours = triggers.filter(({ name }) => String(name).startsWith("audit_"));
  for (const { name } of ours) store.exec(`DROP TRIGGER ${String(name)}`);
  edit(store);
  for (const { sql } of ours) store.exec(String(sql));
  store.close();
}

export function storeOf(dataDir: string): string {
  return path.join(dataDir, "db", "data.sqlite");
}

/** What `claviger audit verify` finds out. */
export function verified(dataDir: string): AuditReport {
  const secret = readAuditSecret(dataDir);
  if (secret === undefined) throw new Error("there is no audit secret");
  return verifyAudit({ dataDir, secret });
}

/** The kinds of what it found, with the rows. */
export function found(dataDir: string): [string, number | null, number | null][] {
  return verified(dataDir).findings.map(({ kind, from, to }) => [kind, from, to]);
}

import { chownSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { leaveAuditNote } from "#gates/audit/index.ts";
import { createLayout, type LayoutConfig } from "#platform/config/layout.ts";
import { loadAuditSecret } from "#platform/config/secrets.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";

/** Whether the directory holds a store already. */
export function hasStore(dataDir: string): boolean {
  return existsSync(join(dataDir, "db", "data.sqlite"));
}

/** Makes what is missing of a data directory; gives the way to remove it again. Throws StartError 73, 78. */
export function makeDataDirectory(config: LayoutConfig): () => void {
  const { dataDir } = config;
  const paths = [dataDir, ...["db", "secrets", "run", "etc"].map((name) => join(dataDir, name))];
  const missing = paths.filter((path) => !existsSync(path));
  const remove = () => {
    // Once it is decided that the backup comes in, the next start finishes what could not be finished here.
    if (existsSync(join(dataDir, "restore", "ready"))) return;
    for (const path of missing) rmSync(path, { recursive: true, force: true });
  };
  try {
    createLayout(config);
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

/** Leaves for the next start to audit what was done here without a server, by who may open the data directory. */
export function noteInAudit(
  dataDir: string,
  what: { action: string; target: string | null; outcome: "success" | "failure" },
): void {
  const local = { time: systemClock.now(), actor: "local", address: null, requestId: null, count: 1 };
  leaveAuditNote(dataDir, loadAuditSecret({ dataDir, random: systemRandom }), {
    ...local,
    ...what,
    restored: false,
  });
  const { uid, gid } = statSync(dataDir);
  // Root did it; the server's user is to read and remove it.
  if (process.getuid?.() === 0) chownSync(join(dataDir, "db", "audit.notes"), uid, gid);
}

import { Worker } from "node:worker_threads";
import type { Clock } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS, withChecksums } from "#platform/storage/migrate.ts";
import { SqliteDatabase } from "#platform/storage/sqlite.ts";
import { SqliteClient } from "#platform/storage/sqlite-client.ts";
import type { ThreadStart } from "#platform/storage/sqlite-protocol.ts";

const PROGRAM = new URL("../../src/platform/storage/sqlite-thread.ts", import.meta.url);

/** The storage thread, and a call before each piece of work it is given; the work before that one has ended then. */
class WatchedThread extends Worker {
  readonly #before: () => void;

  constructor(start: ThreadStart, before: () => void) {
    super(PROGRAM);
    super.postMessage(start);
    this.#before = before;
  }

  override postMessage(...given: Parameters<Worker["postMessage"]>): void {
    this.#before();
    super.postMessage(...given);
  }
}

/** The store as it is always opened, but that `before` is called whenever it is about to do something. */
export async function openWatched(dataDir: string, clock: Clock, before: () => void): Promise<Database> {
  const migrations = await withChecksums(MIGRATIONS);
  const start = { dataDir, migrations, freeBytes: Number.MAX_SAFE_INTEGER, nowMs: clock.now() };
  const client = new SqliteClient(new WatchedThread(start, before));
  await client.started();
  return new SqliteDatabase(client);
}

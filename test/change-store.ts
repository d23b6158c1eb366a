import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

const CHANGE = `
const { DatabaseSync } = require("node:sqlite");
const { file, sql } = require("node:worker_threads").workerData;
const store = new DatabaseSync(file, { timeout: 20_000 });
store.exec(sql);
store.close();`;

/**
 * Changes the store of a server that runs, as another program does. In a thread of its own: the transaction it has to wait
 * for may be one that this thread is to end.
 */
export async function changeStore(dataDir: string, sql: string): Promise<void> {
  const workerData = { file: join(dataDir, "db", "data.sqlite"), sql };
  await once(new Worker(CHANGE, { eval: true, workerData }), "exit");
}

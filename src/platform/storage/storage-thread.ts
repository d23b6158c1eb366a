import { Worker } from "node:worker_threads";

/**
 * Starts the thread that a store is opened on, before there is one to open: it takes a while to begin, in which the rest of
 * the server can be loaded. As long as nothing is opened on it, it keeps no process alive.
 */
export function startStorageThread(): Worker {
  const thread = new Worker(new URL("./sqlite-thread.ts", import.meta.url));
  thread.unref();
  return thread;
}

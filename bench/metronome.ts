/*
 * A thread that tells its parent when a request is due: the moment it was due, in nanoseconds of `process.hrtime`.
 * A timer of the event loop comes up to a millisecond late; this one sleeps to within some hundredths of it.
 */
import { parentPort, workerData } from "node:worker_threads";

export interface Beat {
  readonly perSecond: number;
  readonly durationMs: number;
}

const { perSecond, durationMs }: Beat = workerData;
const periodNs = 1e9 / perSecond;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const now = () => Number(process.hrtime.bigint());
const started = now() + 50e6;

for (let beat = 0; beat * periodNs < durationMs * 1e6; beat += 1) {
  const due = started + beat * periodNs;
  const left = due - now();
  if (left > 0) Atomics.wait(sleeper, 0, 0, left / 1e6);
  parentPort?.postMessage(due);
}

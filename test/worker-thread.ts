import { parentPort, workerData } from "node:worker_threads";
import type { EgressTimeouts } from "#platform/egress/egress-client.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { runWorker } from "../src/app/workers/worker.ts";
import { FakeClock } from "./fake-clock.ts";
import { OFFLINE } from "./offline.ts";

/** What a test hands to the worker threads of its server: nothing that has a function in it can be. */
export interface WorkerExtras {
  /** The memory of a FakeClock; the system's clock when left out. */
  readonly clock: SharedArrayBuffer | undefined;
  readonly offline: boolean;
  readonly timeouts: EgressTimeouts | undefined;
  /** Of an Int32: a worker whose number is stored there fails at its next turn; by its negative it stops answering. */
  readonly failing: SharedArrayBuffer;
}

const CHECK_EVERY_MS = 5;

/** A worker thread as usual, with the clock, the names and the faults of a test. */
if (parentPort !== null) {
  const extras: WorkerExtras = workerData.data;
  const clock = extras.clock === undefined ? systemClock : new FakeClock(extras.clock);
  const timeouts = extras.timeouts === undefined ? {} : { timeouts: extras.timeouts };
  const egress = extras.offline ? { ...OFFLINE, ...timeouts } : timeouts;
  runWorker(parentPort, workerData, { clock, random: systemRandom, egress });
  const failing = new Int32Array(extras.failing);
  const { thread } = workerData;
  const check = () => {
    if (Atomics.compareExchange(failing, 0, thread, 0) === thread) throw new Error("a planted fault");
    if (Atomics.compareExchange(failing, 0, -thread, 0) === -thread) Atomics.wait(failing, 0, 0);
  };
  setInterval(check, CHECK_EVERY_MS).unref();
  // An answer may be the last thing a thread does.
  parentPort.on("message", () => setImmediate(check));
}

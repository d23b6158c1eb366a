import { parentPort, workerData } from "node:worker_threads";
import { keepBufferPoolSmall } from "#platform/lib/buffer-pool.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { runWorker } from "./worker.ts";

keepBufferPoolSmall();
if (parentPort !== null)
  runWorker(parentPort, workerData, { clock: systemClock, random: systemRandom, egress: {} });

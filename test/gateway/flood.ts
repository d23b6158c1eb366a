import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "./bench.ts";

/** Sends `bytes` in chunks as fast as they are taken. */
export async function flood(
  to: NodeJS.WritableStream,
  bytes: number,
  sent: (bytes: number) => void = () => undefined,
) {
  const chunk = Buffer.alloc(64 * 1024, "x");
  for (let left = bytes; left > 0; left -= chunk.length) {
    const goesOn = to.write(chunk, (error) => (error ? undefined : sent(chunk.length)));
    if (!goesOn) await once(to, "drain");
  }
}

export async function countBytes(from: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of from) bytes += chunk.length;
  return bytes;
}

/**
 * The most memory in buffers that are in use while `work` is done, in bytes. All of it: a difference to what
 * there was before would hide what `work` holds behind what was still to be freed.
 */
export async function mostBuffers(work: () => Promise<void>): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collectGarbage: unknown = runInNewContext("gc");
  if (typeof collectGarbage !== "function") throw new Error("garbage cannot be collected");
  let most = 0;
  const sample = (): void => {
    collectGarbage();
    most = Math.max(most, process.memoryUsage().arrayBuffers);
  };
  const timer = setInterval(sample, 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most;
}

/** Settles when a count that grew has not grown for many turns of the loop. */
export async function stalls(count: () => number): Promise<void> {
  let seen = -1;
  let turns = 0;
  await until(() => {
    turns = count() === seen ? turns + 1 : 0;
    seen = count();
    return seen > 0 && turns > 3000;
  });
}

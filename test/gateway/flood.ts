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
 * The most memory in buffers that are in use while `work` is done, in bytes above what there was; below 0 when what
 * there was has been freed meanwhile. With it, how often that was looked at.
 */
export async function mostBuffers(work: () => Promise<void>): Promise<{ most: number; looks: number }> {
  setFlagsFromString("--expose-gc");
  const collectGarbage: unknown = runInNewContext("gc");
  if (typeof collectGarbage !== "function") throw new Error("garbage cannot be collected");
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = Number.NEGATIVE_INFINITY;
  let looks = 0;
  const sample = (): void => {
    collectGarbage();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    looks += 1;
  };
  const timer = setInterval(sample, 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { most, looks };
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

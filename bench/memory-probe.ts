/* Loaded into the server before its program: answers each message with what its heap holds after garbage collection. */

/** In bytes. `rss` is the process's, threads included. */
export interface MemorySample {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

process.on("message", () => {
  // What the first run finds is counted out by the second.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    const sample: MemorySample = { heapUsed, external, rss };
    process.send?.(sample);
  });
});

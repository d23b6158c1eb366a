/* Loaded into the server before its program: answers each message with what its heap holds after garbage collection. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";

/** In bytes. `rss` is the process's, threads included. */
export interface MemorySample {
  /** Objects of the program, and what V8 keeps for them: a request that leaves anything behind leaves it here, or outside. */
  readonly objects: number;
  /** What V8 made of the functions, which it makes anew, better or not at all, whenever it thinks fit. */
  readonly code: number;
  /** Buffers and the like, outside of the heap. */
  readonly external: number;
  readonly rss: number;
}

/** The spaces of machine code, of bytecode, and of what belongs to them. */
const OF_CODE = /^(code|trusted)_/;
/** So often it may find less than the time before. */
const MOST_COLLECTIONS = 20;

process.on("message", () => void send());

async function send(): Promise<void> {
  let objects = await collected();
  // What one run finds is counted out by the next, once those who asked to be told of it were: weak references are many.
  for (let again = 1; again < MOST_COLLECTIONS; again++) {
    const before = objects;
    objects = await collected();
    if (objects >= before) break;
  }
  const { external, rss } = process.memoryUsage();
  const sample: MemorySample = { objects, code: used((name) => OF_CODE.test(name)), external, rss };
  process.send?.(sample);
}

/** Empties V8's caches too, which an ordinary run lets grow old: sources of modules alone are megabytes of them. */
async function collected(): Promise<number> {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  const objects = used((name) => !OF_CODE.test(name));
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  return objects;
}

function used(isMeant: (space: string) => boolean): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => isMeant(name))
    .reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
}

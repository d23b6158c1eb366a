import { BUCKET_CELLS } from "./bucket.ts";
import { WINDOW_CELLS } from "./window.ts";

/** Memory of the limits by principal, shared by all threads; can be sent to another. */
export interface LimiterMemory {
  readonly buffer: SharedArrayBuffer;
  /** How many principals and threads there is room for. */
  readonly principals: number;
  readonly threads: number;
}

const CELL_BYTES = 8;

/**
 * A record, in cells of 64 bits: a lock, two buckets, two windows, and for each thread what it has running and set
 * aside, so that what a thread held can be told when it is no more.
 */
export const RECORD = {
  requests: 1,
  tokens: 1 + BUCKET_CELLS,
  day: 1 + 2 * BUCKET_CELLS,
  month: 1 + 2 * BUCKET_CELLS + WINDOW_CELLS,
  threads: 1 + 2 * BUCKET_CELLS + 2 * WINDOW_CELLS,
} as const;
export const OF_THREAD = { running: 0, day: 1, month: 2, cells: 3 } as const;

/** In front of the records, as an Int32: how many of them are or were in use, from the first on. */
export const USED_WORD = 0;
const HEAD_CELLS = 1;

/**
 * Room for so many principals, of which the system provides only what is used: of a record about 150 bytes and 24 for
 * each thread.
 */
export function createLimiterMemory({
  principals,
  threads,
}: {
  principals: number;
  threads: number;
}): LimiterMemory {
  const bytes = recordStart({ threads }, principals) * CELL_BYTES;
  // What a buffer grows by is not counted as memory in use: here it is room, of which nearly all stays unused.
  const buffer = new SharedArrayBuffer(0, { maxByteLength: bytes });
  buffer.grow(bytes);
  return { buffer, principals, threads };
}

/** The cell at which a principal's record begins. */
export function recordStart({ threads }: Pick<LimiterMemory, "threads">, slot: number): number {
  return HEAD_CELLS + slot * (RECORD.threads + threads * OF_THREAD.cells);
}

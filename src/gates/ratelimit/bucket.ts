/** How many parts make one, so that a millisecond brings as many parts as the bucket's size: whole numbers only. */
const PARTS = 60_000;
/** What threads read from one clock differs by less, however late one of them runs; more is a clock that was set back. */
export const SAME_CLOCK_MS = 5_000;

/** A bucket's cells: the parts it lacks to be full (fresh cells are a full bucket), and when that was, in milliseconds. */
export const BUCKET_CELLS = 2;
const LACKS = 0;
const AT = 1;

/** What there is in a bucket. */
export interface Level {
  /** How many could be taken at once. */
  readonly remaining: number;
  /** Milliseconds until one can be taken again; 0 while one can. */
  readonly waitMs: number;
  /** Milliseconds until the bucket is full again. */
  readonly fullInMs: number;
}

/**
 * Brings a bucket up to `nowMs`: it holds `size` and is refilled evenly, `size` a minute; nothing is lost or won by
 * asking often. A clock that was set back refills nothing, and goes on from there. Gives the parts it lacks. `size` is
 * a whole number up to 1e11, so that every sum is exact.
 */
export function refill(cells: Float64Array, at: number, size: number, nowMs: number): number {
  const lacks = cells[at + LACKS] ?? 0;
  const passedMs = nowMs - (cells[at + AT] ?? 0);
  if (passedMs < 0 && passedMs > -SAME_CLOCK_MS) return lacks;
  // A product too large to be exact is larger than anything a bucket lacks.
  const left = passedMs <= 0 ? lacks : Math.max(0, lacks - passedMs * size);
  cells[at + LACKS] = left;
  cells[at + AT] = nowMs;
  return left;
}

/** Whether a bucket of this size holds one at least, when it lacks so many parts. */
export function holdsOne(size: number, lacks: number): boolean {
  return size * PARTS - lacks >= PARTS;
}

/** Takes so many out, whether they are there or not. */
export function draw(cells: Float64Array, at: number, amount: number): void {
  cells[at + LACKS] = Math.max(0, (cells[at + LACKS] ?? 0) + amount * PARTS);
}

/** Reads a bucket of this size that lacks so many parts. */
export function levelOf(size: number, lacks: number): Level {
  const parts = size * PARTS - lacks;
  return {
    remaining: Math.max(0, Math.floor(parts / PARTS)),
    waitMs: Math.ceil(Math.max(0, PARTS - parts) / size),
    fullInMs: Math.ceil(lacks / size),
  };
}

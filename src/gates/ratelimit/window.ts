import { SAME_CLOCK_MS } from "./bucket.ts";

/** A window's cells: its first moment, its end, how many windows it is from the first on, and what was used in it. */
export const WINDOW_CELLS = 4;
const FROM = 0;
const UNTIL = 1;
const TURN = 2;
const USED = 3;

/** Milliseconds since the Unix epoch, the end not included. */
export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
}

const DAY_MS = 86_400_000;
const NEVER: Period = { fromMs: 0, untilMs: 0 };

/** The days and months of UTC, each computed once. */
export class Calendar {
  #day = NEVER;
  #month = NEVER;

  day(nowMs: number): Period {
    if (!holds(this.#day, nowMs)) {
      const fromMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
      this.#day = { fromMs, untilMs: fromMs + DAY_MS };
    }
    return this.#day;
  }

  month(nowMs: number): Period {
    if (!holds(this.#month, nowMs)) {
      const at = new Date(nowMs);
      const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
      this.#month = { fromMs: Date.UTC(year, month), untilMs: Date.UTC(year, month + 1) };
    }
    return this.#month;
  }
}

/**
 * Brings a window up to `nowMs`, of which `period` is the one it lies in. True when another window began: nothing is
 * used of it. A clock that was set back changes the window's bounds and leaves what was used.
 */
export function roll(cells: Float64Array, at: number, period: Period, nowMs: number): boolean {
  const begins = nowMs >= (cells[at + UNTIL] ?? 0);
  if (!begins && nowMs > (cells[at + FROM] ?? 0) - SAME_CLOCK_MS) return false;
  cells[at + FROM] = period.fromMs;
  cells[at + UNTIL] = period.untilMs;
  if (!begins) return false;
  cells[at + TURN] = turnOf(cells, at) + 1;
  cells[at + USED] = 0;
  return true;
}

/** Which window it is: another number for each. */
export function turnOf(cells: Float64Array, at: number): number {
  return cells[at + TURN] ?? 0;
}

export function usedOf(cells: Float64Array, at: number): number {
  return cells[at + USED] ?? 0;
}

/** Adds to what was used; less than nothing gives back. */
export function use(cells: Float64Array, at: number, amount: number): void {
  cells[at + USED] = Math.max(0, usedOf(cells, at) + amount);
}

function holds({ fromMs, untilMs }: Period, nowMs: number): boolean {
  return nowMs >= fromMs && nowMs < untilMs;
}

import * as z from "zod";
import { AppError } from "#platform/lib/error.ts";

export const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

/** Milliseconds since the epoch, the end not included. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

const time = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** The end of a period whose `to` is left out, and how long it is when `from` is. */
interface UnlessGiven {
  readonly to: number;
  readonly longMs: number;
}

/** Thirty days until the end of today. */
export function lastDays(now: number): UnlessGiven {
  return { to: (dayOf(now) + 1) * DAY_MS, longMs: DEFAULT_DAYS * DAY_MS };
}

/**
 * The period a caller asks for: RFC 3339 dates (their first moment, UTC) or times. Throws AppError `bad_request`, telling
 * what to write.
 */
export function parsePeriod(
  given: { from?: string | undefined; to?: string | undefined },
  unlessGiven: UnlessGiven,
): Period {
  const to = given.to === undefined ? unlessGiven.to : parseTime("to", given.to);
  const from = given.from === undefined ? to - unlessGiven.longMs : parseTime("from", given.from);
  if (from >= to)
    throw new AppError("bad_request", "from must lie before to; to itself is not part of the period.");
  return { from, to };
}

/** Whole days since the epoch, UTC. */
export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS);
}

/** A day as a date, such as `2026-11-21`. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A date's first moment, UTC, or a time. Throws AppError `bad_request`, naming what was given so. */
export function parseTime(name: string, text: string): number {
  if (time.safeParse(text).success) return Date.parse(text);
  throw new AppError(
    "bad_request",
    `${name} must be a date such as 2026-11-21, or a time such as 2026-11-21T13:00:00Z (in a URL, + is written %2B).`,
  );
}

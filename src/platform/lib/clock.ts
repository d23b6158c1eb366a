/** Time as the server sees it, handed in so that tests can hold it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 3339 in UTC with milliseconds, as every time on the API is written. */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

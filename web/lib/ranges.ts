const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far back a page looks. */
export interface Range {
  readonly value: string;
  readonly label: string;
  /** As it stands after "the last" and before "before". */
  readonly words: string;
  readonly ms: number;
}

const A_DAY: Range = { value: "24h", label: "24 h", words: "24 hours", ms: DAY_MS };
export const RANGES: readonly Range[] = [
  { value: "1h", label: "1 h", words: "hour", ms: HOUR_MS },
  A_DAY,
  { value: "7d", label: "7 d", words: "7 days", ms: 7 * DAY_MS },
  { value: "30d", label: "30 d", words: "30 days", ms: 30 * DAY_MS },
  { value: "90d", label: "90 d", words: "90 days", ms: 90 * DAY_MS },
];

/** The range that a word of the address names; a day where it names none. */
export function rangeNamed(word: string | undefined): Range {
  return RANGES.find(({ value }) => value === word) ?? A_DAY;
}

/** The first moment of a range that ends now. */
export function startOf({ ms }: Range): string {
  return new Date(Date.now() - ms).toISOString();
}

import type { SearchWords } from "#lib/search-words.ts";
import type { UsageAsked, UsageBy } from "./api/list-usage.ts";

const DAY_MS = 86_400_000;
const DAYS_SHOWN = 30;

export const GROUPS: readonly { readonly value: UsageBy; readonly label: string; readonly column: string }[] =
  [
    { value: "day", label: "Day", column: "Day (UTC)" },
    { value: "model", label: "Model", column: "Model" },
    { value: "key", label: "Key", column: "Key or identity" },
    { value: "provider", label: "Provider", column: "Provider" },
  ];

/** What the page shows: sums by what, from the first day to the last, both in. */
export interface UsageShown {
  readonly by: UsageBy;
  readonly first: string;
  readonly last: string;
}

/** What the words of the address say; without them, the last thirty days by day. */
export function shownBy({ by, first, last }: SearchWords, nowMs: number): UsageShown {
  return {
    by: GROUPS.find(({ value }) => value === by)?.value ?? "day",
    first: first ?? dayOf(nowMs - (DAYS_SHOWN - 1) * DAY_MS),
    last: last ?? dayOf(nowMs),
  };
}

/** How the server is asked for it: its `to` is not part of the period. */
export function askedFor({ by, first, last }: UsageShown): UsageAsked {
  const lastMs = Date.parse(last);
  return { by, from: first, to: Number.isNaN(lastMs) ? last : dayOf(lastMs + DAY_MS) };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

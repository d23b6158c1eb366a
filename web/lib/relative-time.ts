const UNITS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;
/** As much as what is shown may lag behind the clock. */
const SLACK_S = 30;
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `in 3 days`, `2 minutes ago`, `just now`. */
export function relativeTime(atMs: number, nowMs: number): string {
  const s = Math.round((atMs - nowMs) / 1000);
  const unit = UNITS.find(([, length]) => Math.abs(s) >= length);
  if (unit === undefined) return s > SLACK_S ? "in a moment" : "just now";
  return RELATIVE.format(Math.round(s / unit[1]), unit[0]);
}

/** `45 s`, `12 min`, `1 h 5 min`: how long to wait. */
export function waitText(s: number): string {
  if (s < 60) return `${s} s`;
  const min = Math.ceil(s / 60);
  return min < 60 ? `${min} min` : `${Math.floor(min / 60)} h ${min % 60} min`;
}

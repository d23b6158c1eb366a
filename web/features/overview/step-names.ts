import type { Overview } from "./api/read-overview.ts";

type Step = Overview["step"];

const SHORT_MS = 26 * 3_600_000;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
/** Days are those of UTC, by which the server sums. */
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

/** What the steps of this period are called: times are the reader's, days those of UTC. */
export function stepNames({ step, from, to }: Pick<Overview, "step" | "from" | "to">): {
  readonly each: string;
  readonly nameOf: (time: string) => string;
} {
  const format = formatFor(step, Date.parse(to) - Date.parse(from));
  const each = step === "day" ? "each day, in UTC" : `each ${step}`;
  return { each, nameOf: (time) => format.format(Date.parse(time)) };
}

function formatFor(step: Step, lengthMs: number): Intl.DateTimeFormat {
  if (step === "day") return DAY;
  return lengthMs <= SHORT_MS ? TIME : DAY_AND_TIME;
}

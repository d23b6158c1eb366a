import { AppError } from "#platform/lib/error.ts";
import { MINUTES_KEPT_MS } from "../sums/roll-up.ts";
import { STEPS_MS } from "../sums/store.ts";
import { type Period, parsePeriod } from "../usage/usage-period.ts";
import type { TopBy } from "./store.ts";

export const STEPS = ["minute", "hour", "day"] as const;
export type Step = (typeof STEPS)[number];

/** A period of whole steps. */
export interface SteppedPeriod extends Period {
  readonly step: Step;
}

const DAY_MS = STEPS_MS.day;
/** Up to how long a period is shown by this step where the caller leaves it to us. */
const LONGEST_MS: Record<Step, number> = {
  minute: 6 * STEPS_MS.hour,
  hour: 7 * DAY_MS,
  day: Number.POSITIVE_INFINITY,
};
const MOST_POINTS = 1000;

interface Asked {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly step: "auto" | Step;
}

/**
 * The period a caller asks for, widened to whole steps; without `to` until now, without `from` a day. Throws AppError
 * `bad_request`, telling what to give instead.
 */
export function parseSteppedPeriod({ step: asked, ...given }: Asked, now: number): SteppedPeriod {
  const { from, to } = parsePeriod(given, { to: now + 1, longMs: DAY_MS });
  const step = asked === "auto" ? stepFor({ from, to }, now) : asked;
  const period = widen({ from, to }, step);
  refuseTooMany(period);
  if (step === "minute" && !hasMinutes(period, now))
    throw new AppError(
      "bad_request",
      "Minutes are kept for 7 days; give step=hour or step=day, or a later from.",
    );
  return period;
}

/**
 * The period of a list of the most: of the same steps, but principals are summed by the hour and the day alone, and by the
 * hour only for two days, so that a list stays quick with thousands of them.
 */
export function parseTopPeriod(given: Omit<Asked, "step">, by: TopBy, now: number): SteppedPeriod {
  const asked = parsePeriod(given, { to: now + 1, longMs: DAY_MS });
  const step = stepFor(asked, now);
  const isPrincipal = by === "key" || by === "identity";
  const ofPrincipals = asked.to - asked.from <= 2 * DAY_MS + 1 ? "hour" : "day";
  const period = widen(asked, isPrincipal ? ofPrincipals : step);
  refuseTooMany(period);
  return period;
}

/** Whole steps that hold the period. */
function widen({ from, to }: Period, step: Step): SteppedPeriod {
  const ms = STEPS_MS[step];
  return { from: Math.floor(from / ms) * ms, to: Math.ceil(to / ms) * ms, step };
}

/** As many steps before a period as it has. */
export function periodBefore({ from, to, step }: SteppedPeriod): SteppedPeriod {
  return { from: from - (to - from), to: from, step };
}

function stepFor({ from, to }: Period, now: number): Step {
  const fits = (step: Step) => to - from <= LONGEST_MS[step];
  return STEPS.find((step) => fits(step) && (step !== "minute" || hasMinutes({ from, to }, now))) ?? "day";
}

/** The period before is shown too. */
function hasMinutes({ from, to }: Period, now: number): boolean {
  return from - (to - from) >= now - MINUTES_KEPT_MS + STEPS_MS.hour;
}

function refuseTooMany({ from, to, step }: SteppedPeriod): void {
  const points = (to - from) / STEPS_MS[step];
  if (points <= MOST_POINTS) return;
  const words = step === "day" ? "a later from or an earlier to" : "a longer step, or a shorter period";
  throw new AppError(
    "bad_request",
    `From from to to are ${points} steps of a ${step}; at most ${MOST_POINTS} are answered. Give ${words}.`,
  );
}

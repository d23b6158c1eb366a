import type { Aim } from "./part.ts";

/** A ratio that is to be so much; one that was not measured does not meet it. */
export function atLeast(what: string, least: number, ratio: number): Aim {
  return { what, aim: `at least ${show(least)}`, value: show(ratio), met: ratio >= least };
}

/** A ratio that is to be no more; one that was not measured does not meet it. */
export function atMost(what: string, most: number, ratio: number): Aim {
  return { what, aim: `at most ${show(most)}`, value: show(ratio), met: ratio <= most };
}

const show = (ratio: number) => ratio.toFixed(2);

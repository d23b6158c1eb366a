import type { Unit } from "#lib/units.ts";

const MANY_TIMES = 10;
const POINTS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** How a figure differs from the one before: `+12 %`, `×14`, `as before`; null where there is nothing to compare it with. */
export function changeText(now: number | null, before: number | null, unit: Unit): string | null {
  if (now === null || before === null) return null;
  if (unit === "share") return signed((now - before) * 100, "points");
  if (before === 0) return null;
  const times = now / before;
  if (times >= MANY_TIMES) return `×${Math.round(times)}`;
  return signed(Math.round((times - 1) * 100), "%");
}

function signed(value: number, unit: string): string {
  const size = POINTS.format(Math.abs(value));
  if (size === "0") return "as before";
  return `${value > 0 ? "+" : "−"}${size} ${unit}`;
}

const MANY_TIMES = 10;

/** How a figure differs from the one before: `+12 %`, `×14`, `as before`; null where one of them is not known, or none. */
export function changeText(now: number | null, before: number | null): string | null {
  if (now === null || before === null || before === 0) return null;
  if (now === before) return "as before";
  const times = now / before;
  if (times >= MANY_TIMES) return `×${Math.round(times)}`;
  const percent = Math.round((times - 1) * 100);
  if (percent === 0) return "as before";
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

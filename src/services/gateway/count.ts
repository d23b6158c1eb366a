/** A whole number above 0 as JSON or a form spells it; 1 for everything else. */
export function countIn(text: string): number {
  const count = /^[0-9.eE+]+$/.test(text) ? Number(text) : 1;
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}

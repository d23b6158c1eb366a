/** Nano-dollars in a US dollar. */
export const NANO = 1_000_000_000;

/** US dollars in whole nano-dollars (billionths). */
export function toNano(usd: number): number {
  return Math.round(usd * NANO);
}

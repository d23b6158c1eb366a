/** Tells below which value so large a share of `values` lies: 0.5 gives the median. 0 when there are none. */
export function shareBelow(values: readonly number[]): (share: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (share) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

import * as z from "zod";

const MEGABYTE = 1_000_000;

/** What a server tells of the disk its store is on. */
export const diskBody = z.object({
  state: z.enum(["ok", "low", "full"]),
  free_bytes: z.number(),
  low_bytes: z.number(),
  reserve_bytes: z.number(),
});

/** How much is free, and what that keeps from working. */
export function diskLine({ state, free_bytes, low_bytes, reserve_bytes }: z.infer<typeof diskBody>): string {
  const free = `disk: ${megabytes(free_bytes)} MB free`;
  if (state === "ok") return free;
  const bound = `${free}, less than ${megabytes(low_bytes)} MB: changes are refused, and requests are not logged`;
  if (state === "low") return bound;
  return `${bound}; the reserve still holds ${megabytes(reserve_bytes)} MB`;
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / MEGABYTE);
}

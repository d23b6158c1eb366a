import { getPriority, platform, setPriority } from "node:os";

/** A tenth of the share that a thread of the usual priority gets where both want the processor. */
const NICER_BY = 10;
const MOST_NICE = 19;

/** This thread gives way to those that serve clients. Only on Linux: elsewhere this would be the whole server's. */
export function lowerPriority(): void {
  if (platform() === "linux") setPriority(0, Math.min(MOST_NICE, getPriority(0) + NICER_BY));
}

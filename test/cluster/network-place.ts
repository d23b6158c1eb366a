import { setTimeout as delay } from "node:timers/promises";

/** The network and the host name of a machine, or of the switch between machines. */
export interface Place {
  readonly name: string;
  /** Of the process that holds the namespaces. */
  readonly pid: number;
}

/** A command, and its arguments, that ends when this process does, however it does. */
export function bound(command: readonly string[]): [string, string[]] {
  return ["setpriv", ["--pdeathsig", "KILL", "--", ...command]];
}

/** The same, run inside a place. */
export function inside({ pid }: Place, command: readonly string[]): [string, string[]] {
  return bound(["nsenter", "--target", String(pid), "--net", "--uts", "--", ...command]);
}

/** Settles when `look` finds it so, and gives how long that took, in ms. Throws after `mostMs`. */
export async function until(what: string, mostMs: number, look: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  for (;;) {
    if (await look()) return performance.now() - begun;
    if (performance.now() - begun > mostMs) throw new Error(`${what}: not within ${mostMs} ms`);
    await delay(50);
  }
}

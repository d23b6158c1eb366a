import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** User and system time the processes have used since they began, all threads of them, in microseconds. */
export function cpuTimeUs(pids: readonly number[]): number {
  return pids.map(ticksOf).reduce((sum, ticks) => sum + ticks, 0) * (1_000_000 / TICKS_PER_SECOND);
}

/** What this process has used since it began, with the children that have ended, in microseconds. */
export function ownTimeUs(): number {
  const ticks = statFields(process.pid).slice(11, 15).map(Number);
  return ticks.reduce((sum, each) => sum + each, 0) * (1_000_000 / TICKS_PER_SECOND);
}

/** What all processors have spent on anything but idling since the start of the system, in microseconds. */
export function machineTimeUs(): number {
  const [, ...ticks] = (readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "").split(/ +/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
  return (user + nice + system + irq + softirq + steal) * (1_000_000 / TICKS_PER_SECOND);
}

function ticksOf(pid: number): number {
  const [user = 0, system = 0] = statFields(pid).slice(11, 13).map(Number);
  return user + system;
}

/** /proc/PID/stat from its third field on: the second, the command, may hold blanks, so its bracket is looked for. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

import { readFileSync } from "node:fs";

/** Memory that the processes have resident now, in bytes, all threads included. */
export function residentBytes(pids: readonly number[]): number {
  return pids.map(residentOf).reduce((sum, bytes) => sum + bytes, 0);
}

function residentOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) * 1024;
}

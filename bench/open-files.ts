import { readFileSync } from "node:fs";
import { runProgram } from "#test/system/run-program.ts";
import { type RunningOptions, type RunningProgram, startProgram } from "#test/system/running-program.ts";

/** Sets its own limit, soft and hard, then becomes the program: the process keeps its number. */
const RAISE = 'ulimit -n "$0" && exec "$@"';

/** Starts a program that may have so many files open. */
export function startWithFiles(
  files: number,
  file: string,
  args: readonly string[],
  options: RunningOptions = {},
): RunningProgram {
  return startProgram("/bin/sh", ["-c", RAISE, String(files), file, ...args], options);
}

/** Throws, with what to do, when a process started from here cannot be given so many files. */
export async function requireOpenFiles(files: number): Promise<void> {
  const { status, stderr } = await runProgram("/bin/sh", ["-c", RAISE, String(files), "/bin/true"]);
  if (status === 0) return;
  throw new Error(
    `nothing is reported: ${files} open files are needed and the limit cannot be raised (${stderr.trim()}): ` +
      `run this as root, or after "ulimit -n ${files}"`,
  );
}

/** Throws when a process has been given fewer, whatever was asked for. */
export function checkOpenFiles(pids: readonly number[], files: number): void {
  for (const pid of pids) {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"));
    const given = Number(line?.[1]);
    if (!(given >= files))
      throw new Error(`nothing is reported: a process may open ${line?.[1]} files, ${files} are needed`);
  }
}

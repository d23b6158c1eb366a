import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { ProgramOptions } from "./run-program.ts";

/** A program under way, and everything it has said so far on both streams. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  said(): string;
  /** What `pattern` finds in what it says, as soon as it has said it. Throws when it ends first. */
  hears(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal, if any, and gives the exit status; null when a signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface RunningOptions extends Omit<ProgramOptions, "stdin"> {
  /** Hear standard error only: for a program that writes much. */
  readonly stdout?: "ignore";
}

/** Starts a program in a process group of its own, all of which is killed at the end. */
export function startProgram(
  file: string,
  args: readonly string[],
  options: RunningOptions = {},
): RunningProgram {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ["ignore", options.stdout ?? "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let text = "";
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    child.emit("said");
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  return {
    pid: child.pid ?? 0,
    said: () => text,
    hears: (pattern) => hears(child, pattern, () => text),
    end: async (signal) => {
      if (signal !== undefined) child.kill(signal);
      await exited;
      return child.exitCode;
    },
    [Symbol.asyncDispose]: async () => {
      killGroup(child);
      await exited;
    },
  };
}

function hears(child: ChildProcess, pattern: RegExp, said: () => string): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = pattern.exec(said());
      if (found !== null) resolve(found);
    };
    child.on("said", look);
    child.on("close", () => reject(new Error(`it ended without saying ${pattern}:\n${said()}`)));
    look();
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

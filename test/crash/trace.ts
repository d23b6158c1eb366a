import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { requiredTool } from "../system/required-tool.ts";

/** One system call that changes a file of the data directory, told from all others of a run. */
export interface Step {
  readonly call: string;
  /** The file or directory it works on, from the data directory; of a rename, the old name. */
  readonly path: string;
  /** Which of these calls on this path, from 1. */
  readonly ordinal: number;
}

/**
 * What happens at a step: the process is killed before the call is made, the call fails once, or it and all that
 * follow on that path fail, as on a full disk.
 */
export type Fault = "kill" | "EIO" | "ENOSPC";

/** A Node.js program whose system calls are watched. */
export interface Traced {
  readonly program: URL;
  readonly args: readonly string[];
  /** Only calls below it count. */
  readonly directory: string;
}

interface TracedRun {
  /** Whether the fault came to pass. */
  readonly hit: boolean;
  /** The exit status, or the name of the signal that ended it. */
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const CALLS = [
  ...["write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "openat", "fchmod", "chmod"],
];
/** What a program writes to its standard output where the part of it begins that is looked at. */
export const BEGIN = "begin";
/** Stops the program only at the calls that are traced; strace sends no signal with it. */
const FAST = "--seccomp-bpf";
/** These look at an old file or take one away as often as they make one, which needs no room. */
const ONCE = ["openat", "unlink", "unlinkat", "fchmod", "chmod"];

/**
 * Runs the program unharmed and gives every step it takes, in their order, and what it said. When it writes `BEGIN` to
 * its standard output, the steps before that are left out.
 */
export async function listSteps(traced: Traced): Promise<{ steps: Step[]; stdout: string }> {
  const { log, run } = await trace(traced, [FAST, `--trace=${CALLS.join(",")}`]);
  if (run.status !== 0) throw new Error(`the unharmed run ended with ${run.status}: ${run.stderr}`);
  return { steps: stepsIn(log, traced.directory), stdout: run.stdout };
}

/** Runs the program with one fault at one step. */
export async function runWithFault(traced: Traced, step: Step, fault: Fault): Promise<TracedRun> {
  const { call, ordinal } = step;
  const when = fault === "ENOSPC" && !ONCE.includes(call) ? `${ordinal}+` : `${ordinal}`;
  const what = fault === "kill" ? "signal=KILL" : `error=${fault}`;
  const place = `--trace-path=${path.join(traced.directory, step.path)}`;
  const only = [`--trace=${call}`, place, `--inject=${call}:${what}:when=${when}`];
  const { log, run } = await trace(traced, fault === "kill" ? only : [FAST, ...only]);
  const hit = fault === "kill" ? log.includes("+++ killed by SIGKILL") : log.includes("(INJECTED)");
  return { ...run, hit };
}

async function trace(traced: Traced, options: readonly string[]): Promise<{ log: string; run: TracedRun }> {
  const folder = mkdtempSync(path.join(tmpdir(), "claviger-trace-"));
  try {
    const file = path.join(folder, "log");
    const child = spawn(
      requiredTool("strace"),
      [
        ...["--follow-forks", "--decode-fds=path", `--output=${file}`],
        ...options,
        ...[process.execPath, ...NODE_FLAGS.sources, traced.program.pathname],
        ...traced.args,
      ],
      // One thread for files, so that the calls on a path come from one thread: strace counts by thread.
      { env: { ...process.env, UV_THREADPOOL_SIZE: "1" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    await once(child, "close");
    const status = child.exitCode ?? child.signalCode;
    return {
      log: readFileSync(file, "utf8"),
      run: { hit: false, status, stdout: stdout(), stderr: stderr() },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join("");
}

/** Calls on one path by two threads count apart, and the fault strikes the first that comes to its number. */
function stepsIn(log: string, directory: string): Step[] {
  const counts = new Map<string, number>();
  let steps = new Map<string, Step>();
  for (const line of log.split("\n")) {
    const [, thread, call = "", args = ""] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    if (call === "write" && args.includes(`"${BEGIN}`)) steps = new Map();
    const place = /^\d+<([^>]+)>/.exec(args)?.[1] ?? /"([^"]+)"/.exec(args)?.[1] ?? "";
    if (!isBelow(place, directory) || args.includes("(deleted)")) continue;
    const counted = `${thread} ${call} ${place}`;
    const ordinal = (counts.get(counted) ?? 0) + 1;
    counts.set(counted, ordinal);
    if (call === "openat" && !args.includes("O_CREAT")) continue;
    steps.set(`${call} ${place} ${ordinal}`, { call, path: path.relative(directory, place), ordinal });
  }
  return [...steps.values()];
}

function isBelow(place: string, directory: string): boolean {
  return place === directory || place.startsWith(`${directory}/`);
}

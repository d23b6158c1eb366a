import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const DEADLINE_MS = 20_000;
/** A server lives as long as its test. */
const SERVER_DEADLINE_MS = 100_000;

/** How a command ended. */
export interface Ended {
  /** The exit status, or the name of the signal that ended it. */
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stdin gives before it ends; without it stdin is empty. */
  readonly input?: string;
}

/** The program as a process of its own, killed when it outlives its deadline. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";
  #watchers = new Set<() => void>();

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    { deadlineMs = DEADLINE_MS, stdout = "pipe" }: { deadlineMs?: number; stdout?: number | "pipe" } = {},
  ) {
    this.child = spawn(process.execPath, [...NODE_FLAGS.sources, MAIN, ...args], {
      env: { PATH: process.env.PATH, HOME: "/nonexistent", ...compileCache(), ...env },
      stdio: ["pipe", stdout, "pipe"],
    });
    const deadline = setTimeout(() => this.child.kill("SIGKILL"), deadlineMs);
    this.child.stdout?.on("data", (chunk: Buffer) => this.#grow(() => (this.#stdout += chunk)));
    this.child.stderr?.on("data", (chunk: Buffer) => this.#grow(() => (this.#stderr += chunk)));
    this.child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        clearTimeout(deadline);
        this.#grow(() => {});
        resolve({ status: code ?? signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Everything it wrote so far. */
  get written(): string {
    return this.#stdout + this.#stderr;
  }

  /** The first match in its output, awaited; throws when it ends without one. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stderr) ?? pattern.exec(this.#stdout);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`ended without ${pattern}: ${this.written}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
  }

  #grow(add: () => void): void {
    add();
    const waiting = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of waiting) wake();
  }
}

/** A server that listens; `url` has no slash at its end. */
export class Served extends Program {
  url = "";
}

/** Runs one command to its end. */
export async function claviger(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  await using program = new Program(args, options.env ?? {});
  program.child.stdin?.end(options.input ?? "");
  return await program.ended;
}

const ATTEMPTS = 3;

/**
 * Runs a command that ends by itself, and gives how it ended each time and the milliseconds it took, less those the
 * program takes to be there at all. Other work on the machine only ever adds: it is run again, up to three times in all,
 * while none took less than `withinMs`.
 */
export async function timed(
  args: readonly string[],
  withinMs: number,
): Promise<{ readonly runs: readonly Ended[]; readonly quickestMs: number }> {
  const runs: Ended[] = [];
  let quickestMs = Infinity;
  while (quickestMs >= withinMs && runs.length < ATTEMPTS) {
    const launched = performance.now();
    await claviger(["--version"]);
    const begun = performance.now();
    runs.push(await claviger(args));
    quickestMs = Math.min(quickestMs, performance.now() - begun - (begun - launched));
  }
  return { runs, quickestMs };
}

/** Starts `claviger serve` on a free port of 127.0.0.1, and waits until it listens. */
export async function serve(
  dataDir: string,
  options: {
    env?: Readonly<Record<string, string>>;
    args?: readonly string[];
    /** A descriptor that takes the server's log in place of the test. */
    stdout?: number;
  } = {},
): Promise<Served> {
  const args = ["serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0", ...(options.args ?? [])];
  const served = new Served(args, options.env ?? {}, {
    deadlineMs: SERVER_DEADLINE_MS,
    stdout: options.stdout ?? "pipe",
  });
  try {
    const [, url = ""] = await served.says(/listens on (http:\/\/\S+)/);
    served.url = url;
    return served;
  } catch (error) {
    await served[Symbol.asyncDispose]();
    throw error;
  }
}

/** A directory of its own for one test; `path` is a name in it that does not exist yet. */
export function scratch(): { readonly root: string; readonly path: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), "claviger-start-"));
  const remove = () => rmSync(root, { recursive: true, force: true });
  return { root, path: join(root, "data"), [Symbol.dispose]: remove };
}

/** The one of this run, so that a process starts as fast as one that the launcher starts. */
function compileCache(): Record<string, string> {
  const directory = process.env.NODE_COMPILE_CACHE;
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory };
}

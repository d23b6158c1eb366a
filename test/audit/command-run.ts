import { PassThrough } from "node:stream";
import { CommanderError } from "commander";
import { createOutput } from "#cli/output.ts";
import { createProgram } from "#cli/program.ts";

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as the program does in one of its own. `terminal`: whether a person reads. */
export async function runCommand(args: readonly string[], { terminal = false } = {}): Promise<CommandRun> {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: terminal })];
  const output = createOutput({ stdout, stderr, json: args.includes("--json"), noColor: true });
  let status = 0;
  const program = createProgram({
    env: {},
    homeDir: "/nonexistent",
    server: {},
    output: () => output,
    setExit: (code) => (status = code),
  });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    status = error instanceof CommanderError ? 64 : output.fail(error);
  }
  return { status, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

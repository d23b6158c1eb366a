import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { requiredTool } from "#test/system/required-tool.ts";
import { runProgram } from "#test/system/run-program.ts";
import { machineTimeUs, ownTimeUs } from "./cpu-time.ts";

/** What the figures depend on, one line each; no name of the machine, no path on it. */
export async function describeMachine(): Promise<string[]> {
  const { stderr } = await runProgram(requiredTool("nginx"), ["-v"]);
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    describeProcessor(),
    `memory: ${gibibytes} GiB`,
    `system: ${type()} ${release().split("-", 1)[0]} ${arch()}`,
    `Node.js: ${process.versions.node}`,
    `nginx: ${/nginx\/(\S+)/.exec(stderr)?.[1] ?? "unknown"}`,
  ];
}

/** The line of it by which results of one kind of processor are found. */
export function describeProcessor(): string {
  const processors = cpus();
  return `processor: ${processors[0]?.model.trim() ?? "unknown"}, ${processors.length} cores`;
}

/**
 * Begins to watch; the answer tells which share of the processors' time others than this process took. To be asked when
 * all the programs it started have ended: only then is their time known as this process's own.
 */
export function watchOtherWork(): () => number {
  const others = () => machineTimeUs() - ownTimeUs();
  const before = { others: others(), at: performance.now() };
  return () => {
    const availableUs = (performance.now() - before.at) * 1000 * availableParallelism();
    return Math.max(0, (others() - before.others) / availableUs);
  };
}

import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { requiredTool } from "#test/system/required-tool.ts";
import { runProgram } from "#test/system/run-program.ts";

/** What the figures depend on, one line each; no name of the machine, no path on it. */
export async function describeMachine(): Promise<string[]> {
  const { stderr } = await runProgram(requiredTool("nginx"), ["-v"]);
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    `processor: ${processors[0]?.model.trim() ?? "unknown"}, ${processors.length} cores`,
    `memory: ${gibibytes} GiB`,
    `system: ${type()} ${release().split("-", 1)[0]} ${arch()}`,
    `Node.js: ${process.versions.node}`,
    `nginx: ${/nginx\/(\S+)/.exec(stderr)?.[1] ?? "unknown"}`,
  ];
}

/** Processes that wanted to run over the last minute, all of the machine's. */
export function recentLoad(): number {
  return loadavg()[0] ?? 0;
}

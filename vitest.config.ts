import { configDefaults, defineConfig } from "vitest/config";
import NODE_FLAGS from "./runtime/node-flags.json" with { type: "json" };
import { bundledThreads } from "./test/bundled-threads.ts";

/** What needs other programs, or starts so many servers or commands that it would take more than its share of the time. */
const SYSTEM = [
  "system",
  "start",
  "cli",
  "faults",
  "config",
  "listeners",
  "reload",
  "audit",
  "cluster",
  "upgrade",
  "backup",
  "canary",
  "workers",
  "clients",
  "limits",
  "people",
  "attacks",
  "events",
  "openapi",
  "web",
  "disk",
  "keys",
  "seal-http",
].map((name) => `test/${name}/**`);
const CRASH = "test/crash/sweep/**";
const OUTSIDE = [...SYSTEM, CRASH, "test/corpora/**"];

/** The tests of each mode. `corpora` needs a directory that is handed in. */
const TESTS: Record<string, { include: string[]; exclude: string[] }> = {
  test: {
    include: ["src", "test", "tools", "web/lib"].map((below) => `${below}/**/*.test.ts`),
    exclude: OUTSIDE,
  },
  /** What strikes a process at one system call after the other: many minutes. */
  crash: { include: [`${CRASH}/*.test.ts`], exclude: [] },
  system: { include: SYSTEM.map((below) => `${below}/*.test.ts`), exclude: [] },
  corpora: { include: ["test/corpora/**/*.test.ts"], exclude: [] },
};

export default defineConfig(async ({ mode }) => {
  const tests = TESTS[mode];
  if (tests === undefined) throw new Error(`no tests are known for the mode ${mode}`);
  return {
    plugins: [await bundledThreads()],
    test: {
      include: tests.include,
      exclude: [...configDefaults.exclude, ...tests.exclude],
      setupFiles: ["test/equality.ts"],
      pool: "forks",
      // To load everything anew for each file would take as long as the tests; what measures or attacks is not of this mode.
      isolate: mode !== "test",
      // Here no two threads at once read sources; elsewhere they do (docs/adr/0015).
      execArgv: mode === "test" ? NODE_FLAGS.bundle : NODE_FLAGS.sources,
      maxWorkers: 2,
      // Much that is tested starts processes; what is slow is told by the benchmark, not by a time limit.
      testTimeout: 30_000,
      hookTimeout: 30_000,
      expect: { poll: { timeout: 20_000 } },
    },
  };
});

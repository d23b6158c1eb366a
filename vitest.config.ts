import { configDefaults, defineConfig } from "vitest/config";

const OUTSIDE = ["test/system/**", "test/corpora/**"];

/** The tests of each mode. `system` needs what apt installs, `corpora` a directory that is handed in. */
const TESTS: Record<string, { include: string[]; exclude: string[] }> = {
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts", "tools/**/*.test.ts"], exclude: OUTSIDE },
  system: { include: ["test/system/**/*.test.ts"], exclude: [] },
  corpora: { include: ["test/corpora/**/*.test.ts"], exclude: [] },
};

export default defineConfig(({ mode }) => {
  const tests = TESTS[mode];
  if (tests === undefined) throw new Error(`no tests are known for the mode ${mode}`);
  return {
    test: {
      include: tests.include,
      exclude: [...configDefaults.exclude, ...tests.exclude],
      pool: "forks",
      // More than the cores of a small machine: many tests wait for processes they started.
      maxWorkers: 3,
      // Much that is tested starts processes; what is slow is told by the benchmark, not by a time limit.
      testTimeout: 30_000,
      hookTimeout: 30_000,
    },
  };
});

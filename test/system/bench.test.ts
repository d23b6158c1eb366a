import path from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "./run-program.ts";

const BENCH = path.resolve(import.meta.dirname, "../../bench/run.ts");

test("the benchmark runs: every contender has its row in every part that has rounds", {
  timeout: 240_000,
}, async () => {
  const parts = ["--quick", "--only", "requests,sse,rate,rest,keys,slow-hashes"];
  const run = await runProgram(process.execPath, [BENCH, ...parts]);
  expect(run.status, run.stderr).toBe(0);
  const sections = run.stdout.split(/^## /m);
  for (const title of ["Requests", "Streams", "Added latency"]) {
    const section = sections.find((text) => text.startsWith(`${title}\n`)) ?? "";
    for (const name of ["upstream alone", "nginx", "bare proxy", "Claviger"])
      expect(section).toContain(`| ${name} |`);
    expect(section).not.toMatch(/NaN|Infinity/);
  }
  const keys = sections.find((text) => text.startsWith("Many keys\n")) ?? "";
  for (const row of ["| 10,000 | ", "| Claviger, 1 key | ", "| Claviger, many keys | "])
    expect(keys).toContain(row);
  expect(keys).not.toMatch(/NaN|Infinity/);
  const slow = sections.find((text) => text.startsWith("Slow hashes\n")) ?? "";
  for (const rate of ["200", "1,000"])
    for (const beside of ["alone", "wrong keys, one address", "wrong keys, 400 addresses"])
      expect(slow).toContain(`| ${rate} chats/s | ${beside} |`);
  expect(slow).not.toMatch(/NaN|Infinity/);
  const aims = sections.find((text) => text.startsWith("Aims\n")) ?? "";
  for (const aim of [
    "a second, of nginx | at least 0.28",
    "a second, of nginx, then | at least 0.60",
    "and core, of nginx | at least 0.28",
    "and core, of nginx, then | at least 0.60",
    "of one key | at least 0.80",
  ])
    expect(aims).toContain(aim);
  expect(sections.find((text) => text.startsWith("Start and rest\n"))).toMatch(
    /bundled, as shipped \| \d+ ms/,
  );
});

/*
 * Claviger beside nginx before the same upstream, and the upstream alone: see docs/bench.md.
 * `npm run bench` writes bench/results/DATE.md; `npm run bench -- --quick` only tries whether it works.
 * `npm run bench -- --profile` tells where the time of its main thread goes.
 * `npm run bench -- --memory` measures instead what 100,000 requests leave behind in memory.
 * `npm run bench -- --propagation` measures how long a revocation and a lock take to hold in every thread.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { runProgram } from "#test/system/run-program.ts";
import { type Contender, startContenders } from "./contenders.ts";
import { cpuTimeUs } from "./cpu-time.ts";
import type { LoadOrder, LoadResult } from "./load.ts";
import { describeMachine, watchOtherWork } from "./machine.ts";
import { reportMemory } from "./memory.ts";
import { renderProfile } from "./profile.ts";
import { reportPropagation } from "./propagation.ts";
import { type Measure, renderTable } from "./table.ts";

const CONNECTIONS = 64;
const REFERENCE = "nginx";
const FULL = { rounds: 5, durationMs: 4_000, warmUpMs: 2_000 };
const QUICK = { rounds: 1, durationMs: 500, warmUpMs: 500 };

const text = "Say something that has about the length of a usual question to a model. ".repeat(4);
const workloads = (model: string) => [
  {
    name: "chat",
    path: "/v1/chat/completions",
    body: JSON.stringify({ model, messages: [{ role: "user", content: text }] }),
  },
  { name: "embeddings", path: "/v1/embeddings", body: JSON.stringify({ model, input: text }) },
];
type Workload = ReturnType<typeof workloads>[number];

await main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === "--memory") return reportMemory(args.slice(1));
  if (args[0] === "--profile") return reportProfile();
  if (args[0] === "--propagation") return reportPropagation(args.slice(1));
  const unknown = args.find((arg) => arg !== "--quick");
  if (unknown !== undefined)
    throw new Error(
      `unknown argument ${unknown}; there are --quick, --profile, --memory [REQUESTS], --propagation [ROUNDS]`,
    );
  const quick = args.includes("--quick");
  const machine = await describeMachine();
  const { measures, otherWork } = await measureAll(quick ? QUICK : FULL);
  const table = renderTable(measures, REFERENCE);
  const facts = [
    ...machine,
    `other work on the machine meanwhile: ${Math.round(otherWork * 100)} % of its processors' time`,
  ];
  console.log(`${facts.join("\n")}\n\n${table}`);
  if (quick) return;
  const date = new Date().toISOString().slice(0, 10);
  const results = path.join(import.meta.dirname, "results");
  mkdirSync(results, { recursive: true });
  writeFileSync(path.join(results, `${date}.md`), report({ date, facts, table }));
}

/** One workload, warmed up, then five seconds of it profiled. */
async function reportProfile(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-profile-"));
  try {
    const file = path.join(directory, "profile.json");
    const probe = pathToFileURL(path.join(import.meta.dirname, "profile-probe.ts"));
    probe.searchParams.set("file", file);
    await using contenders = await startContenders(directory, ["--import", probe.href]);
    const server = contenders.all.at(-1);
    const [workload] = workloads(contenders.model);
    if (server?.pids[0] === undefined || workload === undefined) throw new Error("nothing to profile");
    await load(server, workload, FULL.warmUpMs);
    process.kill(server.pids[0], "SIGUSR2");
    await load(server, workload, 5_000);
    process.kill(server.pids[0], "SIGUSR2");
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(renderProfile(file));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureAll(plan: typeof FULL): Promise<{ measures: Measure[]; otherWork: number }> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-"));
  const measures: Measure[] = [];
  try {
    await using contenders = await startContenders(directory);
    const otherWork = watchOtherWork(contenders.all.flatMap(({ pids }) => pids));
    for (const workload of workloads(contenders.model)) {
      for (const contender of contenders.all) await load(contender, workload, plan.warmUpMs);
      for (let round = 1; round <= plan.rounds; round += 1) {
        console.error(`${workload.name}, round ${round} of ${plan.rounds}`);
        for (const contender of contenders.all)
          measures.push(await measure(contender, workload, plan.durationMs));
      }
    }
    return { measures, otherWork: otherWork() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(contender: Contender, workload: Workload, durationMs: number): Promise<Measure> {
  const before = cpuTimeUs(contender.pids);
  const result = await load(contender, workload, durationMs);
  const cpuUs = cpuTimeUs(contender.pids) - before;
  return {
    workload: workload.name,
    contender: contender.name,
    requestsPerSecond: (result.requests * 1000) / result.elapsedMs,
    cpuUsPerRequest: cpuUs / result.requests,
    medianMs: result.medianMs,
    p99Ms: result.p99Ms,
  };
}

async function load(contender: Contender, workload: Workload, durationMs: number): Promise<LoadResult> {
  const order: LoadOrder = {
    host: "127.0.0.1",
    port: contender.port,
    path: workload.path,
    headers: contender.headers,
    body: workload.body,
    connections: CONNECTIONS,
    durationMs,
  };
  const program = path.join(import.meta.dirname, "load.ts");
  const { status, stdout, stderr } = await runProgram(process.execPath, [program, JSON.stringify(order)]);
  if (status !== 0) throw new Error(`${contender.name}, ${workload.name}: ${stderr}`);
  return JSON.parse(stdout);
}

function report(parts: { date: string; facts: string[]; table: string }): string {
  const { rounds, durationMs } = FULL;
  return `# Benchmark of ${parts.date}

${parts.facts.map((line) => `- ${line}`).join("\n")}
- ${CONNECTIONS} connections, ${rounds} interleaved rounds of ${durationMs / 1000} s, medians; ratios are taken round by round

${parts.table}

What is measured, and what it does not say: [docs/bench.md](../../docs/bench.md).
`;
}

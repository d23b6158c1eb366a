/*
 * Compares Claviger with nginx, with the least that Node.js can do, and with the upstream alone: see docs/bench.md.
 * `npm run bench` writes bench/results/DATE.md; `npm run bench -- --quick` only tries whether it works.
 * `npm run bench -- --only requests,sse` measures these parts alone and writes nothing; `--peers` adds another gateway.
 * `npm run bench -- --keys` tells what looking a key up costs among many.
 * `npm run bench -- --propagation` tells how long a revocation and a lock take to hold in every thread.
 * `npm run bench -- --profile` tells where the time of its main thread goes.
 * `npm run bench -- --memory` measures instead what 100,000 requests leave behind in memory.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { bundleForBench } from "./claviger.ts";
import { lastCommittedResult } from "./earlier.ts";
import { reportKeys } from "./keys.ts";
import { describeMachine, describeProcessor, watchOtherWork } from "./machine.ts";
import { manyKeysPart } from "./many-keys.ts";
import { reportMemory } from "./memory.ts";
import { overviewPart } from "./overview.ts";
import { type Bench, FULL, type Part, type Plan, QUICK } from "./part.ts";
import { peersPart } from "./peers.ts";
import { reportProfile } from "./profile.ts";
import { reportPropagation } from "./propagation.ts";
import { ratePart } from "./rate.ts";
import { type Outcome, renderReport } from "./report.ts";
import { requestsPart } from "./requests.ts";
import { restPart } from "./rest.ts";
import { serverKeyPart } from "./server-key.ts";
import { slowHashesPart } from "./slow-hashes.ts";
import { ssePart } from "./sse.ts";
import { streamsPart } from "./streams.ts";
import { workersPart } from "./workers.ts";

const PARTS: readonly Part[] = [
  requestsPart,
  ssePart,
  ratePart,
  streamsPart,
  restPart,
  workersPart,
  manyKeysPart,
  slowHashesPart,
  serverKeyPart,
  overviewPart,
];

/** What is measured instead of all the rest, with the arguments that follow. */
const INSTEAD: ReadonlyMap<string | undefined, (args: readonly string[]) => Promise<void>> = new Map([
  ["--keys", reportKeys],
  ["--memory", reportMemory],
  ["--profile", reportProfile],
  ["--propagation", reportPropagation],
]);

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

async function main(args: readonly string[]): Promise<void> {
  const instead = INSTEAD.get(args[0]);
  if (instead !== undefined) return instead(args.slice(1));
  const { parts, plan, whole } = wanted(args);
  const machine = await describeMachine();
  const otherWork = watchOtherWork();
  const outcomes = await measureParts(parts, plan);
  const date = new Date().toISOString().slice(0, 10);
  const earlier = await lastCommittedResult(describeProcessor());
  const text = renderReport(outcomes, { date, machine, plan, otherWork: otherWork(), earlier });
  console.log(text);
  if (!whole) return;
  const results = path.join(import.meta.dirname, "results");
  mkdirSync(results, { recursive: true });
  writeFileSync(path.join(results, `${date}.md`), text);
}

/** Only a whole run, with nothing left out or cut short, is one to keep. */
function wanted(args: readonly string[]): { parts: readonly Part[]; plan: Plan; whole: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: "boolean" }, only: { type: "string" }, peers: { type: "boolean" } },
  });
  const names = values.only?.split(",") ?? PARTS.map(({ name }) => name);
  const unknown = names.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no part ${unknown}: ${PARTS.map(({ name }) => name).join(", ")}`);
  const parts = PARTS.filter(({ name }) => names.includes(name));
  return {
    // First: what cannot be fetched is known before anything is measured.
    parts: values.peers === true ? [peersPart, ...parts] : parts,
    plan: values.quick === true ? QUICK : FULL,
    whole: values.quick !== true && values.only === undefined,
  };
}

async function measureParts(parts: readonly Part[], plan: Plan): Promise<Outcome[]> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-"));
  try {
    const program = await bundleForBench();
    const outcomes: Outcome[] = [];
    for (const part of parts) {
      const bench: Bench = { directory: path.join(directory, part.name), program, plan };
      mkdirSync(bench.directory);
      outcomes.push({ part, report: await part.run(bench) });
    }
    return outcomes;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/*
 * What requests leave behind in memory: the server as a process of its own, a fifth of its clients leaving, its heap
 * measured after garbage collection. The slope is that of a straight line through samples behind a time to warm up.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import NODE_FLAGS from "../runtime/node-flags.json" with { type: "json" };
import { memoryLoad, startMemoryUpstream } from "./memory-load.ts";
import type { MemorySample } from "./memory-probe.ts";

interface MemoryPlan {
  /** Requests before those that count: code is compiled, and what is kept once is there. */
  readonly warmUp: number;
  readonly requests: number;
  readonly sampleEvery: number;
}

interface MemoryResult {
  /** The first of them is from behind the time to warm up. */
  readonly samples: readonly (MemorySample & { readonly requests: number })[];
  /** Growth of what is kept, in the heap, code left out, and outside of it, in bytes for 100,000 requests. */
  readonly slopeBytes: number;
}

const PROBE = path.join(import.meta.dirname, "memory-probe.ts");
const MAIN = path.join(import.meta.dirname, "../src/main.ts");
const CONNECTIONS = 16;
const PER = 100_000;

/** Prints the samples and the slope; `args` may name another number of requests than 100,000. */
export async function reportMemory(args: readonly string[]): Promise<void> {
  const requests = Number(args[0] ?? PER);
  if (!Number.isInteger(requests) || requests < 10) throw new Error(`${args[0]} is no number of requests`);
  const sampleEvery = Math.ceil(requests / 10);
  const { samples, slopeBytes } = await measureMemory({ warmUp: 2 * sampleEvery, requests, sampleEvery });
  const mb = (bytes: number) => (bytes / 1024 / 1024).toFixed(2);
  const rows = samples.map(
    ({ requests: at, objects, code, external, rss }) =>
      `| ${at} | ${mb(objects)} | ${mb(code)} | ${mb(external)} | ${mb(rss)} |`,
  );
  console.log(
    `| requests | objects, MB | code, MB | outside the heap, MB | resident, MB |\n| ---: | ---: | ---: | ---: | ---: |\n${rows.join("\n")}`,
  );
  console.log(`\nslope of objects and what is outside the heap: ${mb(slopeBytes)} MB for ${PER} requests`);
}

/** Starts a server and an upstream, makes the requests and samples in between, with nothing under way. */
export async function measureMemory(plan: MemoryPlan): Promise<MemoryResult> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-memory-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const upstream = stack.use(await startMemoryUpstream());
  const { server, url } = await startServer(directory);
  stack.defer(async () => {
    server.kill("SIGKILL");
    await once(server, "exit");
  });
  const key = await configure(directory, upstream.baseUrl);
  const load = memoryLoad({ url, key, connections: CONNECTIONS });
  const samples: (MemorySample & { requests: number })[] = [];
  await load.run(plan.warmUp / 2);
  // Empties V8's caches, so that what they are filled with again is there before the first one that counts.
  await sample(server);
  await load.run(plan.warmUp / 2);
  samples.push({ requests: 0, ...(await sample(server)) });
  for (let done = 0; done < plan.requests; ) {
    await load.run(plan.sampleEvery);
    done += plan.sampleEvery;
    samples.push({ requests: done, ...(await sample(server)) });
  }
  return { samples, slopeBytes: slopeOf(samples) * PER };
}

async function startServer(dataDir: string): Promise<{ server: ChildProcess; url: string }> {
  const args = ["serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0"];
  const server = spawn(
    process.execPath,
    // Else V8 drops compiled code it has not used for a while, megabytes at a moment of its choice.
    ["--expose-gc", "--no-flush-bytecode", ...NODE_FLAGS.sources, "--import", PROBE, MAIN, ...args],
    { stdio: ["ignore", "ignore", "pipe", "ipc"] },
  );
  let said = "";
  for await (const chunk of server.stderr ?? []) {
    said += String(chunk);
    const url = /listens on (http:\/\/\S+)/.exec(said)?.[1];
    if (url !== undefined) return { server, url };
  }
  throw new Error(`the server did not start: ${said}`);
}

async function configure(dataDir: string, baseUrl: string): Promise<string> {
  const cli = async (args: readonly string[], stdin = "") => {
    const { status, stdout, stderr } = await runProgram(
      process.execPath,
      [MAIN, ...args, "--data-dir", dataDir],
      { stdin },
    );
    if (status !== 0) throw new Error(`${args[0]}: ${stderr}`);
    return stdout;
  };
  const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", baseUrl];
  await cli(add, "bench-credential\n");
  return JSON.parse(await cli(["api-key", "create", "bench", "--json"])).key;
}

async function sample(server: ChildProcess): Promise<MemorySample> {
  // Rows are written behind the answers, in batches, and connections that were left are closed: both are over by then.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  server.send("sample");
  const [answer]: MemorySample[] = await once(server, "message");
  if (answer === undefined) throw new Error("the server gave no sample");
  return answer;
}

/** Least squares, in bytes a request. */
function slopeOf(samples: MemoryResult["samples"]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const held = samples.map(({ objects, external }) => objects + external);
  const meanX = mean(samples.map(({ requests }) => requests));
  const meanY = mean(held);
  const across = samples.map(({ requests }, at) => (requests - meanX) * ((held[at] ?? 0) - meanY));
  const along = samples.map(({ requests }) => (requests - meanX) ** 2);
  return mean(across) / mean(along);
}

import { request } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startProgram } from "#test/system/running-program.ts";
import { clavigerCommand, SOURCES } from "./claviger.ts";
import { median } from "./median.ts";
import { freePort } from "./nginx.ts";
import type { Part, Plan } from "./part.ts";
import { residentBytes } from "./resident.ts";
import { renderRows, showMib } from "./table.ts";

const MOST_START_MS = 500;
const MOST_BYTES = 140 * 2 ** 20;
const ASK_EVERY_MS = 2;

/** How long a start takes until the first answer, and what a server that does nothing takes of memory. */
export const restPart: Part = {
  name: "rest",
  title: "Start and rest",
  async run({ directory, program, plan }) {
    const compiled = path.join(directory, "compiled");
    const sources = { program: SOURCES, env: { NODE_COMPILE_CACHE: compiled } };
    // So that it is there, as after any first `npm start`.
    await measureRest(path.join(directory, "first"), sources, { starts: 1, idleMs: 0 });
    const bundled = await measureRest(path.join(directory, "bundled"), { program }, plan.rest);
    const unbundled = await measureRest(path.join(directory, "sources"), sources, plan.rest);
    const row = (name: string, { startMs, bytes }: Rest) => [name, showStart(startMs), showMib(bytes)];
    const rows = [row("bundled, as shipped", bundled), row("sources, compile cache warm", unbundled)];
    return {
      body: `A new data directory each; median of ${plan.rest.starts}, memory after ${plan.rest.idleMs / 1000} s idle.\n\n${renderRows(["program", "first answer", "memory at rest"], rows)}`,
      aims: [
        {
          what: "start to first answer",
          aim: `at most ${MOST_START_MS} ms`,
          value: showStart(bundled.startMs),
          met: bundled.startMs <= MOST_START_MS,
        },
        {
          what: "memory at rest, one thread",
          aim: `at most ${showMib(MOST_BYTES)}`,
          value: showMib(bundled.bytes),
          met: bundled.bytes <= MOST_BYTES,
        },
      ],
    };
  },
};

/** Whole milliseconds. */
export const showStart = (ms: number) => `${Math.round(ms)} ms`;

interface HowStarted {
  readonly program: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly serveFlags?: readonly string[];
}

interface Rest {
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  readonly bytes: number;
}

/** Starts a server so many times, one after another, lets all idle together, and gives the medians. */
export async function measureRest(
  directory: string,
  how: HowStarted,
  { starts, idleMs }: Plan["rest"],
): Promise<Rest> {
  await using undo = new AsyncDisposableStack();
  const began: { pid: number; startMs: number }[] = [];
  for (let start = 0; start < starts; start += 1)
    began.push(await startTimed(path.join(directory, String(start)), how, undo));
  await sleep(idleMs);
  return {
    startMs: median(began.map(({ startMs }) => startMs)),
    bytes: median(began.map(({ pid }) => residentBytes([pid]))),
  };
}

/** Starts a server on this data directory, for `undo` to end, and waits for its first answer. */
export async function startTimed(
  dataDir: string,
  how: HowStarted,
  undo: AsyncDisposableStack,
): Promise<{ pid: number; startMs: number }> {
  const { args, env } = clavigerCommand(how.program, path.dirname(dataDir));
  const port = await freePort();
  const where = ["--listen", `127.0.0.1:${port}`, "--data-dir", dataDir];
  const serve = [...args, "serve", ...(how.serveFlags ?? []), ...where];
  const at = performance.now();
  const server = undo.use(
    startProgram(process.execPath, serve, { env: { ...env, ...how.env }, stdout: "ignore" }),
  );
  // Ended by itself it writes what it compiled, for the next start.
  undo.defer(async () => void (await server.end("SIGTERM")));
  const failed = server.end().then(() => {
    throw new Error(`the server ended: ${server.said()}`);
  });
  await Promise.race([firstAnswer(port), failed]);
  failed.catch(() => {});
  return { pid: server.pid, startMs: performance.now() - at };
}

async function firstAnswer(port: number): Promise<void> {
  while (!(await isHealthy(port))) await sleep(ASK_EVERY_MS);
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request({ host: "127.0.0.1", port, path: "/health", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asking.on("error", () => resolve(false));
    asking.end();
  });
}

import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callServer } from "#cli/control-client.ts";
import { atMost } from "./aims.ts";
import { dataDirOf, startClaviger } from "./claviger.ts";
import { startUpstream } from "./contenders.ts";
import { FILLED, keyOf, storeOfRequests } from "./fill-requests.ts";
import { type Figures, inTurns, ratioOf } from "./measure.ts";
import type { Bench, Part } from "./part.ts";
import { CHAT, runRate } from "./run-load.ts";
import { shareBelow } from "./share-below.ts";
import { renderMeasures, renderRows, showCount, showMs } from "./table.ts";

const NAME = "overview";
const PER_SECOND = 200;
const MOST_MS = 100;
const MOST_RATIO = 2;
const [ALONE, BESIDE] = ["alone", "beside the queries"];
const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

/** What a page of the dashboard asks, over a store of many requests. */
const QUERIES: readonly (readonly [what: string, path: () => string])[] = [
  ["overview, 1 hour", () => `/api/v1/overview?from=${daysAgo(1 / 24)}`],
  ["overview, 1 day", () => "/api/v1/overview"],
  ["overview, 7 days by the hour", () => `/api/v1/overview?from=${daysAgo(6.9)}`],
  ["overview, 90 days", () => `/api/v1/overview?from=${daysAgo(90)}`],
  ["top models, 1 hour", () => `/api/v1/overview/top?by=model&from=${daysAgo(1 / 24)}`],
  ["top keys, 1 day", () => "/api/v1/overview/top?by=key"],
  ["top keys by cost, 90 days", () => `/api/v1/overview/top?by=key&metric=cost&from=${daysAgo(90)}`],
  ["usage by key, 30 days", () => "/api/v1/usage?by=key"],
  ["requests, newest", () => "/api/v1/requests"],
  ["requests of 20 days ago", () => `/api/v1/requests?to=${daysAgo(20)}`],
  ["requests of a key", () => `/api/v1/requests?principal=${keyOf(17)}`],
  ["requests of a model", () => "/api/v1/requests?model=provider-1/model-5"],
  ["requests of a provider", () => "/api/v1/requests?provider=provider-3"],
  ["requests with 5xx", () => "/api/v1/requests?status=5xx"],
  ["requests of a key with 429", () => `/api/v1/requests?principal=${keyOf(18)}&status=429`],
  ["a request by its id", () => "/api/v1/requests?request_id=req_none"],
];

/** What the overview and the lists of requests cost over many rows, and what clients notice of them. */
export const overviewPart: Part = {
  name: NAME,
  title: "Overview",
  async run(bench) {
    await using undo = new AsyncDisposableStack();
    const { rows, times } = bench.plan.overview;
    const server = await startFilled(bench, undo);
    const table: string[][] = [];
    let slowest = 0;
    for (const [what, pathOf] of QUERIES) {
      const at = shareBelow(await timesOf(server.socketPath, pathOf(), times));
      table.push([what, showMs(at(0.5)), showMs(at(0.99))]);
      slowest = Math.max(slowest, at(0.5));
    }
    const beside = await measureBeside(bench, server);
    return {
      body: `${describe(rows, times)}\n\n${renderRows(["query", "p50", "p99"], table)}\n\n${beside.body}`,
      aims: [
        atMost(`milliseconds of the slowest query over ${showCount(rows)} requests`, MOST_MS, slowest),
        atMost(`p99 of ${PER_SECOND} chats a second beside the queries, of alone`, MOST_RATIO, beside.ratio),
      ],
    };
  },
};

interface Filled {
  readonly contender: Awaited<ReturnType<typeof startClaviger>>;
  readonly socketPath: string;
}

function describe(rows: number, times: number): string {
  return (
    `${showCount(rows)} request rows of ${FILLED.days} days, ${showCount(FILLED.keys)} keys, ${FILLED.models} models of ` +
    `${FILLED.providers} providers. Each query ${times} times, one after the other, from the call to its whole answer by the ` +
    `control socket; lists are of 100 rows. Then ${PER_SECOND} chats a second, alone and beside all queries in turn.`
  );
}

/** On a copy: a server writes, and the filled store is kept. */
async function startFilled({ directory, program, plan }: Bench, undo: AsyncDisposableStack): Promise<Filled> {
  const kept = await storeOfRequests(plan.overview.rows);
  const dataDir = dataDirOf(directory, NAME);
  mkdirSync(path.join(dataDir, "db"), { recursive: true, mode: 0o700 });
  copyFileSync(path.join(kept, "db/data.sqlite"), path.join(dataDir, "db/data.sqlite"));
  const upstream = await startUpstream(undo);
  const contender = await startClaviger(directory, upstream, { program, name: NAME, undo });
  return { contender, socketPath: path.join(dataDir, "run/control.sock") };
}

async function timesOf(socketPath: string, asked: string, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const began = performance.now();
    const { status } = await callServer({ socketPath, method: "GET", path: asked });
    took.push(performance.now() - began);
    if (status !== 200) throw new Error(`${asked} was answered ${status}`);
  }
  return took;
}

async function measureBeside({ plan }: Bench, server: Filled): Promise<{ body: string; ratio: number }> {
  const measures = await inTurns(
    "chats beside the overview",
    { turns: plan.longTurns, contenders: [{ name: ALONE }, { name: BESIDE }] },
    ({ name }, durationMs) => chatsBeside(server, name === BESIDE, durationMs),
  );
  const body = renderMeasures(measures, [
    { title: "p50", figure: "medianMs", show: showMs, of: [ALONE] },
    { title: "p99", figure: "p99Ms", show: showMs, of: [ALONE] },
    { title: "queries", figure: "queries", show: showCount },
  ]);
  return { body, ratio: ratioOf(measures, "p99Ms", [BESIDE, ALONE]) };
}

async function chatsBeside(server: Filled, asking: boolean, durationMs: number): Promise<Figures> {
  const load = { over: false };
  const chats = runRate(server.contender, CHAT, { perSecond: PER_SECOND, durationMs }).finally(() => {
    load.over = true;
  });
  let queries = 0;
  while (asking && !load.over) {
    const [, pathOf] = QUERIES[queries % QUERIES.length] ?? ["", () => "/api/v1/overview"];
    await timesOf(server.socketPath, pathOf(), 1);
    queries += 1;
    await sleep(PAUSE_MS);
  }
  const { medianMs, p99Ms } = await chats;
  return { medianMs, p99Ms, queries };
}

/** Some twenty queries a second: several dashboards that are looked at. */
const PAUSE_MS = 30;

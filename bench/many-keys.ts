import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#platform/lib/clock.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { atLeast } from "./aims.ts";
import { dataDirOf, FILLED_ENV, GENEROUS, startClaviger } from "./claviger.ts";
import { type Contender, startUpstream } from "./contenders.ts";
import { fillKeys } from "./fill-keys.ts";
import { type Figures, inTurns, type Measure, medianOf, ratioOf } from "./measure.ts";
import type { Bench, Part, Plan } from "./part.ts";
import { measureRequests, RATE, requestColumns } from "./requests.ts";
import { residentBytes } from "./resident.ts";
import { showStart, startTimed } from "./rest.ts";
import { CHAT, KEYS_PRESENTED } from "./run-load.ts";
import { renderMeasures, renderRows, showCount, showMib } from "./table.ts";

const ONE = "Claviger, 1 key";
const MANY = "Claviger, many keys";
const LEAST_RATE = 0.8;

/** A server with very many keys beside one with a single key: what it does a second, how it starts, what it holds. */
export const manyKeysPart: Part = {
  name: "keys",
  title: "Many keys",
  async run(bench) {
    const { count } = bench.plan.keys;
    const stores: readonly Store[] = [
      { name: ONE, count: 1 },
      { name: MANY, count },
    ];
    for (const store of stores) await fill(bench, store);
    const starts = await inTurns(
      "start",
      { turns: { rounds: bench.plan.keys.starts, durationMs: 0, warmUpMs: 0 }, contenders: stores },
      (store) => measureStart(bench, store),
    );
    const load = await compareLoad(bench, stores);
    const rate = ratioOf(load, RATE, [MANY, ONE]);
    const what = `requests a second with ${showCount(count)} keys, of one key`;
    return {
      body: `${describe(starts, bench.plan.keys)}\n\n${renderMeasures(load, requestColumns([ONE]))}`,
      aims: [atLeast(what, LEAST_RATE, rate)],
    };
  },
};

/** A server's name, and how many keys its data directory is filled with before its first start. */
interface Store {
  readonly name: string;
  readonly count: number;
}

async function fill({ directory }: Bench, { name, count }: Store): Promise<void> {
  console.error(`filling a store: ${showCount(count)}`);
  await using database = await openSqlite({ dataDir: dataDirOf(directory, name), clock: systemClock });
  await fillKeys(database, count, () => GENEROUS);
}

async function measureStart({ directory, program, plan }: Bench, { name }: Store): Promise<Figures> {
  await using undo = new AsyncDisposableStack();
  const { pid, startMs } = await startTimed(dataDirOf(directory, name), { program, env: FILLED_ENV }, undo);
  await sleep(plan.keys.idleMs);
  return { startMs, bytes: residentBytes([pid]) };
}

async function compareLoad(
  { directory, program, plan }: Bench,
  stores: readonly Store[],
): Promise<Measure[]> {
  await using undo = new AsyncDisposableStack();
  const upstream = await startUpstream(undo);
  const contenders: Contender[] = [];
  for (const { name, count } of stores)
    contenders.push(await startClaviger(directory, upstream, { program, name, numberedKeys: count, undo }));
  return await inTurns(CHAT.name, { turns: plan.turns, contenders }, (contender, durationMs) =>
    measureRequests(contender, CHAT, durationMs),
  );
}

function describe(starts: readonly Measure[], { count, starts: times, idleMs }: Plan["keys"]): string {
  const row = (name: string, keys: number) => [
    showCount(keys),
    showStart(medianOf(starts, name, "startMs")),
    showMib(medianOf(starts, name, "bytes")),
  ];
  const table = renderRows(["keys", "first answer", "memory at rest"], [row(ONE, 1), row(MANY, count)]);
  const text =
    `${showCount(count)} keys beside one, each with limits that are far away; a load presents ` +
    `${showCount(KEYS_PRESENTED)}, picked at random among all. The server as shipped, started ${times} times on the ` +
    `same data directory, medians; memory after ${idleMs / 1000} s idle.`;
  return `${text}\n\n${table}`;
}

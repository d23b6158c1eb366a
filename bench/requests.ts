import { atLeast } from "./aims.ts";
import { BARE, CLAVIGER, type Contender, NGINX, startContenders } from "./contenders.ts";
import { cpuTimeUs } from "./cpu-time.ts";
import { type Figures, inTurns, type Measure, ratioOf } from "./measure.ts";
import type { Aim, Part } from "./part.ts";
import { CHAT, EMBEDDINGS, runLoad, type Workload } from "./run-load.ts";
import { type Column, renderMeasures, showCount, showMs, showUs } from "./table.ts";

/** Whole answers: how many a second, and what each costs. */
export const requestsPart: Part = {
  name: "requests",
  title: "Requests",
  async run({ directory, program, plan }) {
    await using contenders = await startContenders(directory, { program });
    const measures: Measure[] = [];
    for (const workload of [CHAT, EMBEDDINGS])
      measures.push(
        ...(await inTurns(
          workload.name,
          { turns: plan.turns, contenders: contenders.all },
          (contender, durationMs) => measureRequests(contender, workload, durationMs),
        )),
      );
    const chats = measures.filter(({ workload }) => workload === CHAT.name);
    return {
      body: renderMeasures(measures, REQUEST_COLUMNS),
      aims: LEAST_OF_NGINX.flatMap(({ when, least }) =>
        rateAims(chats, { of: NGINX, what: "chat requests a second", when, least }),
      ),
    };
  },
};

export const CPU = "cpuUs";
export const RATE = "perSecond";

/** Chats, of nginx's: what holds now, and what is aimed at next. */
const LEAST_OF_NGINX = [
  { when: "", least: 0.28 },
  { when: ", then", least: 0.6 },
];

/** So many times as many requests as another: beside the load on this machine, and in a second of processor time. */
export function rateAims(
  measures: readonly Measure[],
  { of, what, when = "", least }: { of: string; what: string; when?: string; least: number },
): readonly Aim[] {
  return [
    atLeast(`${what}, of ${of}${when}`, least, ratioOf(measures, RATE, [CLAVIGER, of])),
    atLeast(`${what} and core, of ${of}${when}`, least, ratioOf(measures, CPU, [of, CLAVIGER])),
  ];
}

const REQUEST_COLUMNS: readonly Column[] = requestColumns([NGINX, BARE]);

/** The columns of requests, with ratios to these. */
export function requestColumns(of: readonly string[]): readonly Column[] {
  return [
    { title: "requests/s", figure: RATE, show: showCount, of },
    { title: "CPU/request", figure: CPU, show: showUs, of },
    { title: "p50", figure: "medianMs", show: showMs },
    { title: "p99", figure: "p99Ms", show: showMs },
  ];
}

/** One round of one contender. */
export async function measureRequests(
  contender: Contender,
  workload: Workload,
  durationMs: number,
): Promise<Figures> {
  const before = cpuTimeUs(contender.pids);
  const { requests, elapsedMs, medianMs, p99Ms } = await runLoad(contender, workload, durationMs);
  const cpuUs = (cpuTimeUs(contender.pids) - before) / requests;
  return { [RATE]: (requests * 1000) / elapsedMs, [CPU]: cpuUs, medianMs, p99Ms };
}

import { BARE, type Contender, NGINX, startContenders } from "./contenders.ts";
import { cpuTimeUs } from "./cpu-time.ts";
import { type Figures, inTurns, type Measure } from "./measure.ts";
import type { Part } from "./part.ts";
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
    return { body: renderMeasures(measures, REQUEST_COLUMNS), aims: [] };
  },
};

const CPU = "cpuUs";
export const RATE = "perSecond";

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

import { atMost } from "./aims.ts";
import { BARE, CLAVIGER, NGINX, startContenders } from "./contenders.ts";
import { cpuTimeUs } from "./cpu-time.ts";
import { inTurns, ratioOf } from "./measure.ts";
import type { Part } from "./part.ts";
import { CONNECTIONS, runStreams, streamedChat, streamOrder, warmUp } from "./run-load.ts";
import { renderMeasures, showCount, showMs, showUs } from "./table.ts";

const EVERY_MS = 4;
const CPU = "cpuUs";
const MOST_OF_NGINX = 2.2;

/** Streams of chunks that come one by one: what each chunk costs, and how soon the first is there. */
export const ssePart: Part = {
  name: "sse",
  title: "Streams",
  async run({ directory, program, plan }) {
    await using contenders = await startContenders(directory, { program });
    const { chunks, turns } = plan;
    const workload = streamedChat("SSE", chunks, EVERY_MS);
    await warmUp(contenders.all, turns.warmUpMs);
    const measures = await inTurns(
      workload.name,
      { turns, contenders: contenders.all },
      async (contender, durationMs) => {
        const order = streamOrder(contender, workload, {
          streams: CONNECTIONS,
          chunks,
          durationMs,
          spreadMs: chunks * EVERY_MS,
        });
        const before = { cpuUs: cpuTimeUs(contender.pids), at: performance.now() };
        const { streams, medianFirstMs, p99FirstMs } = await runStreams(contender, order);
        const passed = streams * chunks;
        const seconds = (performance.now() - before.at) / 1000;
        const cpuUs = (cpuTimeUs(contender.pids) - before.cpuUs) / passed;
        return { perSecond: passed / seconds, [CPU]: cpuUs, medianFirstMs, p99FirstMs };
      },
    );
    const body = renderMeasures(measures, [
      { title: "chunks/s", figure: "perSecond", show: showCount },
      { title: "CPU/chunk", figure: CPU, show: showUs, of: [NGINX, BARE] },
      { title: "first chunk p50", figure: "medianFirstMs", show: showMs },
      { title: "first chunk p99", figure: "p99FirstMs", show: showMs },
    ]);
    const ratio = ratioOf(measures, CPU, [CLAVIGER, NGINX]);
    return {
      body: `${CONNECTIONS} at once, each of ${chunks} chunks, one every ${EVERY_MS} ms.\n\n${body}`,
      aims: [atMost("CPU per SSE chunk, of nginx", MOST_OF_NGINX, ratio)],
    };
  },
};

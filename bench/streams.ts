import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CLAVIGER, type Contender, startContenders, UPSTREAM } from "./contenders.ts";
import { checkOpenFiles, requireOpenFiles, startWithFiles } from "./open-files.ts";
import type { Part } from "./part.ts";
import { residentBytes } from "./resident.ts";
import { runStreams, streamedChat, streamOrder } from "./run-load.ts";
import type { StreamResult } from "./stream-load.ts";
import { renderRows, showCount, showKib, showMib, showMs } from "./table.ts";

const EVERY_MS = 1_000;
/** A stream is two connections of a proxy; the rest is for its own files. */
const FILES_FOR = (streams: number) => streams * 2 + 1_000;
const WARM_UP = { streams: 100, chunks: 2 };
/** After the last has begun, so that all are in their usual state. */
const SETTLE_MS = 2_000;
/** As Node.js tells the error that ended the load. */
const FAILURE = /^Error: (.*)$/m;

interface Live extends StreamResult {
  readonly contender: string;
  readonly bytes: number;
  readonly bytesBefore: number;
}

/** Many live streams at once, a chunk a second each: what each takes of memory. */
export const streamsPart: Part = {
  name: "streams",
  title: "Live streams",
  async run({ directory, program, plan }) {
    const { streams, seconds } = plan.live;
    const files = FILES_FOR(streams);
    await requireOpenFiles(files);
    await using contenders = await startContenders(directory, { program }, files);
    checkOpenFiles(
      contenders.all.flatMap(({ pids }) => pids.slice(-1)),
      files,
    );
    const all: Live[] = [];
    const failures: string[] = [];
    for (const contender of contenders.all.filter(({ name }) => name !== UPSTREAM)) {
      console.error(`${streams} live streams by way of ${contender.name}`);
      const held = await holdStreams(contender, { streams, chunks: seconds, files });
      if (typeof held === "string") failures.push(`**${contender.name} failed**: ${held}`);
      else all.push(held);
    }
    const met = all.some(({ contender }) => contender === CLAVIGER);
    const count = showCount(streams);
    const aim = { what: `${count} live streams, every chunk arrived, none cut`, aim: "all" };
    return {
      body: [`A chunk a second each, ${seconds} in all.`, renderLive(all), ...failures].join("\n\n"),
      aims: [{ ...aim, value: met ? "all" : "failed", met }],
    };
  },
};

function renderLive(all: readonly Live[]): string {
  const rows = all.map((live) => [
    live.contender,
    showCount(live.streams),
    showKib(perStream(live)),
    showMib(live.bytes),
    showMs(live.medianFirstMs),
  ]);
  return renderRows(["by way of", "streams", "memory a stream", "memory in all", "first chunk p50"], rows);
}

function perStream({ bytes, bytesBefore, streams }: Live): number {
  return (bytes - bytesBefore) / streams;
}

/** In words why not: a stream was cut, a chunk did not arrive, or not all were live when the memory was read. */
async function holdStreams(
  contender: Contender,
  { streams, chunks, files }: { streams: number; chunks: number; files: number },
): Promise<Live | string> {
  const warmUp = streamedChat("warm-up", WARM_UP.chunks, 100);
  await runStreams(contender, streamOrder(contender, warmUp, { ...WARM_UP, durationMs: 1 }));
  const bytesBefore = residentBytes(contender.pids);
  const order = streamOrder(contender, streamedChat("live", chunks, EVERY_MS), { streams, chunks });
  const program = path.join(import.meta.dirname, "stream-load.ts");
  await using load = startWithFiles(files, process.execPath, [program, JSON.stringify(order)]);
  const begun = await Promise.race([load.hears(/all are open/), load.hears(FAILURE)]);
  if (begun[1] !== undefined) return begun[1];
  await sleep(SETTLE_MS);
  const bytes = residentBytes(contender.pids);
  const ended = await Promise.race([load.hears(/^\{.*\}$/m), load.hears(FAILURE)]);
  if (ended[1] !== undefined) return ended[1];
  const result: StreamResult = JSON.parse(ended[0]);
  if (result.allLiveMs < SETTLE_MS) return `all were live for ${Math.round(result.allLiveMs)} ms only`;
  return { contender: contender.name, bytes, bytesBefore, ...result };
}

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
    for (const contender of contenders.all.filter(({ name }) => name !== UPSTREAM)) {
      console.error(`${streams} live streams by way of ${contender.name}`);
      all.push(await holdStreams(contender, { streams, chunks: seconds, files }));
    }
    const rows = all.map((live) => [
      live.contender,
      showCount(live.streams),
      showKib(perStream(live)),
      showMib(live.bytes),
      showMs(live.medianFirstMs),
    ]);
    const titles = ["by way of", "streams", "memory a stream", "memory in all", "first chunk p50"];
    const own = all.find(({ contender }) => contender === CLAVIGER);
    const count = showCount(streams);
    const aim = { what: `${count} live streams, every chunk arrived, none cut`, aim: count };
    return {
      body: `A chunk a second each, ${seconds} in all.\n\n${renderRows(titles, rows)}`,
      aims: [{ ...aim, value: showCount(own?.streams ?? 0), met: own?.streams === streams }],
    };
  },
};

function perStream({ bytes, bytesBefore, streams }: Live): number {
  return (bytes - bytesBefore) / streams;
}

/** Fails when a stream is cut, a chunk does not arrive, or not all were live at once when the memory was read. */
async function holdStreams(
  contender: Contender,
  { streams, chunks, files }: { streams: number; chunks: number; files: number },
): Promise<Live> {
  const warmUp = streamedChat("warm-up", WARM_UP.chunks, 100);
  await runStreams(contender, streamOrder(contender, warmUp, { ...WARM_UP, durationMs: 1 }));
  const bytesBefore = residentBytes(contender.pids);
  const order = streamOrder(contender, streamedChat("live", chunks, EVERY_MS), { streams, chunks });
  const program = path.join(import.meta.dirname, "stream-load.ts");
  await using load = startWithFiles(files, process.execPath, [program, JSON.stringify(order)]);
  await load.hears(/all are open/);
  await sleep(SETTLE_MS);
  const bytes = residentBytes(contender.pids);
  const result: StreamResult = JSON.parse((await load.hears(/^\{.*\}$/m))[0]);
  if (result.allLiveMs < SETTLE_MS)
    throw new Error(
      `${contender.name}: all ${streams} streams were live at once for ${Math.round(result.allLiveMs)} ms only`,
    );
  return { contender: contender.name, bytes, bytesBefore, ...result };
}

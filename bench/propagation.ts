/*
 * How long a revocation and a lock take to hold in every thread: over a held connection of each, the server in this
 * process as the tests start it.
 */
import { chat, startBench } from "#test/gateway/bench.ts";
import { type HeldConnections, holdConnections, textOf } from "#test/workers/held-connections.ts";

const ROUNDS = 200;
/** A lock is for good, so each round of it takes a server of its own. */
const ROUNDS_TO_A_LOCK = 10;
const THREADS = [2, 4];

interface Measured {
  readonly what: string;
  readonly threads: number;
  readonly timesMs: readonly number[];
  /** Requests that were let in after the answer; undefined where none is sent. */
  readonly late: number | undefined;
}

type Server = Awaited<ReturnType<typeof startBench>>;

/** Prints a Markdown table; `args` may name another number of rounds than 200. */
export async function reportPropagation(args: readonly string[]): Promise<void> {
  const rounds = Number(args[0] ?? ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`${args[0]} is no number of rounds`);
  const all: Measured[] = [];
  for (const threads of THREADS) {
    console.error(`${threads} threads`);
    all.push(...(await measureRevocations(threads, rounds)));
    all.push(await measureLocks(threads, Math.ceil(rounds / ROUNDS_TO_A_LOCK)));
  }
  console.log(table(all));
}

async function measureRevocations(threads: number, rounds: number): Promise<Measured[]> {
  await using server = await startBench({ workers: threads });
  using asking = await holdConnections(server.claviger, threads);
  const refusals: number[] = [];
  const ends: number[] = [];
  let late = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { id, key } = await server.claviger.issueKey(`round-${round}`);
    using streaming = await holdConnections(server.claviger, threads);
    const { ended } = await openStreams(server, streaming, key);
    const begun = performance.now();
    const { status } = await server.claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` });
    if (status !== 204) throw new Error(`the revocation was answered ${status}`);
    const answered = performance.now();
    const headers = { authorization: `Bearer ${key}` };
    await Promise.all(
      asking.byThread.map(async (one) => {
        const answer = await one.ask({ path: "/v1/models", headers });
        // 429: many wrong credentials came from this address.
        if (answer.status === 401 || answer.status === 429) refusals.push(performance.now() - answered);
        else late += 1;
      }),
    );
    ends.push((await ended) - begun);
  }
  return [
    { what: "from the revocation's 204 to a thread's refusal", threads, timesMs: refusals, late },
    {
      what: "from the revocation to the end of its streams in all threads",
      threads,
      timesMs: ends,
      late: undefined,
    },
  ];
}

async function measureLocks(threads: number, rounds: number): Promise<Measured> {
  const timesMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using server = await startBench({ workers: threads });
    using streaming = await holdConnections(server.claviger, threads);
    const { ended } = await openStreams(server, streaming, server.key);
    const begun = performance.now();
    void server.claviger.app.seal.close();
    timesMs.push((await ended) - begun);
  }
  return {
    what: "from the lock to the end of the streams in all threads",
    threads,
    timesMs,
    late: undefined,
  };
}

/** A stream in every thread that does not end by itself; gives the promise of when the last of them ended. */
async function openStreams(server: Server, { byThread }: HeldConnections, key: string) {
  server.upstream.behave({ kind: "stall", after: 200, until: new Promise<void>(() => undefined) });
  const asked = {
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body: chat({ stream: true }),
  };
  const heads = await Promise.all(byThread.map((one) => one.open(asked)));
  const ends = heads.map(async (head) => {
    await textOf(head);
    return performance.now();
  });
  return { ended: Promise.all(ends).then((times) => Math.max(...times)) };
}

function table(all: readonly Measured[]): string {
  const rows = all.map(({ what, threads, timesMs, late }) => {
    const sorted = timesMs.toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(2);
    return `| ${what} | ${threads} | ${sorted.length} | ${at(0.5)} | ${at(0.99)} | ${late ?? "–"} |`;
  });
  const head = "| what | threads | times measured | p50, ms | p99, ms | let in too late |";
  return [head, "| --- | ---: | ---: | ---: | ---: | ---: |", ...rows].join("\n");
}

/*
 * The load, as a process of its own: so many connections, on each one request after another, for so long.
 * Started as `load.ts JSON` with a LoadOrder; prints a LoadResult as JSON. Anything but a whole 200 ends it.
 */
import { someNumbered } from "./numbered-keys.ts";
import { RawConnection, type RawRequest, requestBytes } from "./raw-connection.ts";
import { shareBelow } from "./share-below.ts";

export interface LoadOrder extends RawRequest {
  readonly connections: number;
  readonly durationMs: number;
  /** Keys to present in turn, so many different ones at most, each picked at random among the first so many. */
  readonly numberedKeys?: { readonly presented: number; readonly among: number };
}

export interface LoadResult {
  readonly requests: number;
  readonly elapsedMs: number;
  /** Time from the request's first byte sent to its answer's last byte, in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const latencies: number[] = [];
  // All are written before the clock runs.
  const next = requestsInTurn(order);
  const started = performance.now();
  const endsAt = started + order.durationMs;
  await Promise.all(
    Array.from({ length: order.connections }, () => keepAsking(order, { endsAt, latencies, next })),
  );
  const elapsedMs = performance.now() - started;
  const at = shareBelow(latencies);
  return { requests: latencies.length, elapsedMs, medianMs: at(0.5), p99Ms: at(0.99) };
}

function keepAsking(
  request: RawRequest,
  { endsAt, latencies, next }: { endsAt: number; latencies: number[]; next: () => Buffer },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = performance.now();
    const onAnswer = () => {
      const now = performance.now();
      latencies.push(now - sentAt);
      if (now < endsAt) {
        sentAt = now;
        return connection.ask(next());
      }
      connection.close();
      resolve();
    };
    const connection = new RawConnection(request, { onAnswer, onFailure: reject });
    connection.ask(next());
  });
}

/** Gives one request after another for all connections: the one there is, or one a key. */
function requestsInTurn(order: LoadOrder): () => Buffer {
  const { presented, among } = order.numberedKeys ?? { presented: 0, among: 0 };
  const one = requestBytes(order);
  const all = someNumbered(presented, among).map((key) =>
    requestBytes({ ...order, headers: { ...order.headers, authorization: `Bearer ${key}` } }),
  );
  let at = 0;
  return () => {
    at = at + 1 < all.length ? at + 1 : 0;
    return all[at] ?? one;
  };
}

if (import.meta.main) {
  const order: LoadOrder = JSON.parse(process.argv[2] ?? "");
  console.log(JSON.stringify(await runLoad(order)));
}

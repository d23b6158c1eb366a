/*
 * The load, as a process of its own: so many connections, on each one request after another, for so long.
 * Started as `load.ts JSON` with a LoadOrder; prints a LoadResult as JSON. Anything but a whole 200 ends it.
 */
import { RawConnection, type RawRequest } from "./raw-connection.ts";
import { shareBelow } from "./share-below.ts";

export interface LoadOrder extends RawRequest {
  readonly connections: number;
  readonly durationMs: number;
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
  const started = performance.now();
  const endsAt = started + order.durationMs;
  await Promise.all(
    Array.from({ length: order.connections }, () => keepAsking(order, { endsAt, latencies })),
  );
  const elapsedMs = performance.now() - started;
  const at = shareBelow(latencies);
  return { requests: latencies.length, elapsedMs, medianMs: at(0.5), p99Ms: at(0.99) };
}

function keepAsking(
  request: RawRequest,
  { endsAt, latencies }: { endsAt: number; latencies: number[] },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = performance.now();
    const onAnswer = () => {
      const now = performance.now();
      latencies.push(now - sentAt);
      if (now < endsAt) {
        sentAt = now;
        return connection.ask();
      }
      connection.close();
      resolve();
    };
    const connection = new RawConnection(request, { onAnswer, onFailure: reject });
    connection.ask();
  });
}

if (import.meta.main) {
  const order: LoadOrder = JSON.parse(process.argv[2] ?? "");
  console.log(JSON.stringify(await runLoad(order)));
}

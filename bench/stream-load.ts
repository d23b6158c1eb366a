/*
 * Streams, as a process of its own: so many at once. With `durationMs` each that ends is followed by another until the
 * time is over; without it each is opened once, and `all are open` is printed when the last has begun.
 * Started as `stream-load.ts JSON` with a StreamOrder; prints a StreamResult as JSON. A stream that is cut, or of which
 * a chunk is missing, ends it.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { shareBelow } from "./share-below.ts";

export interface StreamOrder {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many at once. */
  readonly streams: number;
  /** How many chunks each has to bring. */
  readonly chunks: number;
  readonly durationMs?: number;
  /** Over how long the first ones begin, one after another, so that later ones do not all begin at once either. */
  readonly spreadMs?: number;
}

export interface StreamResult {
  readonly streams: number;
  /** From the request to the first bytes of its answer's body, in milliseconds. */
  readonly medianFirstMs: number;
  readonly p99FirstMs: number;
  /** How long all of them were live at once, in milliseconds. */
  readonly allLiveMs: number;
}

/** Opened at a time: more would only wait to be accepted. */
const OPENING = 100;
const CHUNK = '"delta":{"content":';
const END = "data: [DONE]\n\n";

const order: StreamOrder = JSON.parse(process.argv[2] ?? "");
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const firstMs: number[] = [];
let ended = 0;
let lastOpenedAt = 0;
let firstEndedAt = Number.POSITIVE_INFINITY;

/** One stream, whole; `onFirst` when its first bytes are there. */
function stream(onFirst: () => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const sentAt = performance.now();
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(order.body),
      ...order.headers,
    };
    const { port, path } = order;
    const outgoing = request({ host: "127.0.0.1", port, path, method: "POST", agent, headers });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => {
        if (parts.push(part) > 1) return;
        firstMs.push(performance.now() - sentAt);
        onFirst();
      });
      response.on("error", reject);
      response.on("end", () => {
        firstEndedAt = Math.min(firstEndedAt, performance.now());
        ended += 1;
        const text = Buffer.concat(parts).toString();
        const found = text.split(CHUNK).length - 1;
        if (response.statusCode === 200 && found === order.chunks && text.endsWith(END)) return resolve();
        reject(
          new Error(
            `a stream was ${response.statusCode} with ${found} chunks of ${order.chunks}: ${text.slice(-300)}`,
          ),
        );
      });
    });
    outgoing.end(order.body);
  });
}

async function follow(startsInMs: number, endsAt: number): Promise<void> {
  await sleep(startsInMs);
  while (performance.now() < endsAt) await stream();
}

/** Opens all, some at a time, and waits until all have ended. Fails when one has ended before the last was there. */
async function openAll(): Promise<void> {
  const streams: Promise<void>[] = [];
  let left = order.streams;
  const opener = async () => {
    while (left > 0) {
      left -= 1;
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const whole = stream(resolve);
      streams.push(whole);
      await Promise.race([begun, whole]);
      if (ended > 0)
        throw new Error(
          `the first stream had ended when ${firstMs.length} of ${order.streams} had begun: ` +
            "something holds them back, or this machine is too slow",
        );
    }
  };
  await Promise.all(Array.from({ length: OPENING }, opener));
  lastOpenedAt = performance.now();
  console.log("all are open");
  await Promise.all(streams);
}

if (order.durationMs === undefined) await openAll();
else {
  const endsAt = performance.now() + order.durationMs;
  const apartMs = (order.spreadMs ?? 0) / order.streams;
  await Promise.all(Array.from({ length: order.streams }, (_, at) => follow(at * apartMs, endsAt)));
}
agent.destroy();
const at = shareBelow(firstMs);
const result: StreamResult = {
  streams: ended,
  medianFirstMs: at(0.5),
  p99FirstMs: at(0.99),
  allLiveMs: firstEndedAt - lastOpenedAt,
};
console.log(JSON.stringify(result));

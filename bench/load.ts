/*
 * The load, as a process of its own: so many connections, on each one request after another, for so long.
 * Started as `load.ts JSON` with a LoadOrder; prints a LoadResult as JSON. Anything but a whole 200 ends it.
 */
import { connect, type Socket } from "node:net";

export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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

const HEAD_END = "\r\n\r\n";

/** Answers are counted by their declared length; nothing else of HTTP is needed, which keeps the load cheap. */
async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const request = requestBytes(order);
  const latencies: number[] = [];
  const started = performance.now();
  const endsAt = started + order.durationMs;
  const connections = Array.from({ length: order.connections }, () =>
    keepAsking(connect(order.port, order.host), { request, endsAt, latencies }),
  );
  await Promise.all(connections);
  const elapsedMs = performance.now() - started;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { requests: sorted.length, elapsedMs, medianMs: at(0.5), p99Ms: at(0.99) };
}

function keepAsking(
  socket: Socket,
  { request, endsAt, latencies }: { request: Buffer; endsAt: number; latencies: number[] },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = () => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed before the time was over")));
    socket.on("data", (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length instanceof Error) {
        reject(length);
        return;
      }
      if (received.length < length) return;
      const now = performance.now();
      latencies.push(now - sentAt);
      received = Buffer.alloc(0);
      if (now < endsAt) return send();
      resolve();
      socket.destroy();
    });
  });
}

/** The bytes of the whole answer, head included; infinite while the head is not there yet. */
function answerLength(received: Buffer): number | Error {
  const headLength = received.indexOf(HEAD_END);
  if (headLength < 0) return Number.POSITIVE_INFINITY;
  const head = received.subarray(0, headLength).toString("latin1");
  if (!head.startsWith("HTTP/1.1 200 ")) return new Error(`an answer was not 200: ${received.toString()}`);
  const declared = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (declared === undefined) return new Error(`an answer declared no length: ${head}`);
  return headLength + HEAD_END.length + Number(declared);
}

function requestBytes({ host, port, path, headers, body }: LoadOrder): Buffer {
  const all = {
    host: `${host}:${port}`,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

if (import.meta.main) {
  const order: LoadOrder = JSON.parse(process.argv[2] ?? "");
  console.log(JSON.stringify(await runLoad(order)));
}

/*
 * Wrong keys at a fixed rate, as a process of its own: each is another one, sent when it is due, whether or not those
 * before were answered. Started as `wrong-keys-load.ts JSON` with a WrongKeysOrder; prints a WrongKeysResult as JSON.
 */
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import type { Beat } from "./metronome.ts";

export interface WrongKeysOrder extends Beat {
  readonly host: string;
  readonly port: number;
  /** How many addresses of this machine they come from, in turn. */
  readonly addresses: number;
}

/** How many were answered with which status by the end. */
export type WrongKeysResult = Readonly<Record<string, number>>;

const ADDRESSES_IN_A_NETWORK = 250;
const STATUS = /HTTP\/1\.1 (\d{3}) /g;

async function sendWrongKeys(order: WrongKeysOrder): Promise<WrongKeysResult> {
  const counts: Record<string, number> = {};
  const connections = await Promise.all(
    Array.from({ length: order.addresses }, (_, number) => open(order, number, counts)),
  );
  const run = process.hrtime.bigint();
  const metronome = new Worker(new URL("./metronome.ts", import.meta.url), { workerData: order });
  let sent = 0;
  metronome.on("message", () => {
    const connection = connections[sent % connections.length];
    connection?.write(
      `GET /v1/models HTTP/1.1\r\nhost: ${order.host}:${order.port}\r\nauthorization: Bearer wrong-key-${run}-${sent}\r\n\r\n`,
    );
    sent += 1;
  });
  await new Promise<void>((resolve, reject) => {
    metronome.on("error", reject);
    metronome.on("exit", () => resolve());
  });
  for (const connection of connections) connection.destroy();
  return counts;
}

/** One connection, from the address of this number. */
function open(
  { host, port }: WrongKeysOrder,
  number: number,
  counts: Record<string, number>,
): Promise<Socket> {
  const localAddress = `127.9.${Math.floor(number / ADDRESSES_IN_A_NETWORK)}.${1 + (number % ADDRESSES_IN_A_NETWORK)}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, localAddress, noDelay: true });
    socket.on("connect", () => resolve(socket));
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      for (const [, status = ""] of chunk.toString("latin1").matchAll(STATUS))
        counts[status] = (counts[status] ?? 0) + 1;
    });
  });
}

const order: WrongKeysOrder = JSON.parse(process.argv[2] ?? "");
console.log(JSON.stringify(await sendWrongKeys(order)));

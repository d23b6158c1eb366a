/*
 * The load at a fixed rate, as a process of its own: a request is sent when it is due, whether or not those before were
 * answered, and its time counts from when it was due. A server that stalls is so charged for all that had to wait.
 * Started as `rate-load.ts JSON` with a RateOrder; prints a RateResult as JSON. Anything but a whole 200 ends it.
 */
import { Worker } from "node:worker_threads";
import type { Beat } from "./metronome.ts";
import { RawConnection, type RawRequest } from "./raw-connection.ts";
import { shareBelow } from "./share-below.ts";

export interface RateOrder extends RawRequest, Beat {}

export interface RateResult {
  readonly requests: number;
  /** From when a request was due to its answer's last byte, in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

const MOST_CONNECTIONS = 1000;
const OPEN_AT_FIRST = 16;

async function runRate(order: RateOrder): Promise<RateResult> {
  const latencies: number[] = [];
  const load = new OpenLoad(order, latencies);
  const metronome = new Worker(new URL("./metronome.ts", import.meta.url), { workerData: order });
  const allSent = new Promise<void>((resolve, reject) => {
    metronome.on("message", (due: number) => load.send(due));
    metronome.on("error", reject);
    metronome.on("exit", () => resolve());
  });
  await Promise.race([allSent, load.failed]);
  await Promise.race([load.idle(), load.failed]);
  load.close();
  const at = shareBelow(latencies);
  return { requests: latencies.length, medianMs: at(0.5), p99Ms: at(0.99) };
}

/** As many connections as there are requests without an answer. */
class OpenLoad {
  readonly failed: Promise<never>;
  readonly #request: RawRequest;
  readonly #latencies: number[];
  readonly #all: RawConnection[] = [];
  readonly #free: { send: (due: number) => void }[] = [];
  #fail: (error: Error) => void = () => {};
  #whenIdle: () => void = () => {};

  constructor(request: RawRequest, latencies: number[]) {
    this.#request = request;
    this.#latencies = latencies;
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    for (let opened = 0; opened < OPEN_AT_FIRST; opened += 1) this.#free.push(this.#open());
  }

  send(due: number): void {
    if (this.#free.length === 0 && this.#all.length >= MOST_CONNECTIONS)
      return this.#fail(new Error(`${MOST_CONNECTIONS} requests wait: the rate is more than it can do`));
    (this.#free.pop() ?? this.#open()).send(due);
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
      if (this.#free.length === this.#all.length) resolve();
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): { send: (due: number) => void } {
    let due = 0;
    const onAnswer = () => {
      this.#latencies.push((Number(process.hrtime.bigint()) - due) / 1e6);
      this.#free.push(line);
      if (this.#free.length === this.#all.length) this.#whenIdle();
    };
    const connection = new RawConnection(this.#request, { onAnswer, onFailure: this.#fail });
    const send = (at: number) => {
      due = at;
      connection.ask();
    };
    const line = { send };
    this.#all.push(connection);
    return line;
  }
}

const order: RateOrder = JSON.parse(process.argv[2] ?? "");
console.log(JSON.stringify(await runRate(order)));

import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { openRaw, type RawConnection } from "#test/gates/raw.ts";
import { Reading } from "#test/metrics/scrape.ts";
import type { TestClaviger } from "../claviger.ts";

/** A server by its address and its control socket. */
export type Reached = Pick<TestClaviger, "url" | "control">;

const MOST_CONNECTIONS = 400;

/** What goes over a held connection; a body is sent as JSON. */
export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** One kept-alive connection: whatever goes over it comes to the same thread. */
export class HeldConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: URL;
  #socket: Socket | undefined;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Settles with the head of the answer, whose body is the caller's to read; throws when the connection is not the first. */
  open({ method = "GET", path, headers = {}, body }: Asked): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const described =
      text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const { hostname: host, port } = this.#url;
    const all = { ...described, ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ host, port, method, path, headers: all, agent: this.#agent }, resolve);
      outgoing.on("error", reject);
      outgoing.on("socket", (socket) => {
        this.#socket ??= socket;
        if (socket !== this.#socket) outgoing.destroy(new Error("the held connection was closed"));
      });
      outgoing.end(text);
    });
  }

  async ask(asked: Asked): Promise<Answered> {
    const answer = await this.open(asked);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text: await textOf(answer) };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Everything of an answer; throws when it is cut. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** At least one connection to every thread, so that what is said of all of them is said of every thread. */
export interface HeldConnections extends Disposable {
  /** One of each thread, by its number. */
  readonly byThread: readonly HeldConnection[];
}

/** Opens connections until each of the `threads` holds one. Nothing else may send requests meanwhile. */
export async function holdConnections(claviger: Reached, threads: number): Promise<HeldConnections> {
  const byThread: (HeldConnection | undefined)[] = Array.from({ length: threads }, () => undefined);
  const whole = () => byThread.filter((held) => held !== undefined);
  for (let opened = 0; whole().length < threads; opened += 1) {
    if (opened === MOST_CONNECTIONS) throw new Error(`of ${opened} connections none came to some thread`);
    const held = new HeldConnection(claviger.url);
    const thread = await threadOf(() => held.ask({ path: "/v1/models" }), claviger, threads);
    if (byThread[thread] === undefined) byThread[thread] = held;
    else held.close();
  }
  return {
    byThread: whole(),
    [Symbol.dispose]: () => {
      for (const held of whole()) held.close();
    },
  };
}

/** A bare connection to this thread; what has come over it begins with one whole answer. */
export async function openRawTo(thread: number, claviger: Reached, threads: number): Promise<RawConnection> {
  for (let opened = 0; opened < MOST_CONNECTIONS; opened += 1) {
    const raw = openRaw(claviger.url);
    const ask = () => {
      raw.socket.write("GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      return raw.until(/\r\n\r\n\{.*\}$/s);
    };
    if ((await threadOf(ask, claviger, threads)) === thread) return raw;
    await raw[Symbol.asyncDispose]();
  }
  throw new Error(`no connection came to thread ${thread}`);
}

/** Requests that each thread took so far, by its number. */
export async function requestsByThread(claviger: Reached, threads: number): Promise<number[]> {
  const { text } = await claviger.control({ path: "/metrics" });
  const reading = new Reading(text);
  return Array.from({ length: threads }, (_, thread) =>
    reading.value("claviger_thread_requests_total", { thread: String(thread) }),
  );
}

/** The reading itself is the main thread's: a request that no other thread took is its own. */
async function threadOf(ask: () => Promise<unknown>, claviger: Reached, threads: number): Promise<number> {
  const before = await requestsByThread(claviger, threads);
  await ask();
  const after = await requestsByThread(claviger, threads);
  const thread = after.findIndex((count, index) => index > 0 && count > (before[index] ?? 0));
  return Math.max(0, thread);
}

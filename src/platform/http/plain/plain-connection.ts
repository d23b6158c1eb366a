import type { Socket } from "node:net";
import type { ClientRequest, ClientResponse } from "../client-request.ts";
import { readPlainHead } from "./plain-head.ts";
import { PlainRequest } from "./plain-request.ts";
import { PlainResponse } from "./plain-response.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
/** When this much of the next requests has come before one is answered, the rest waits on the connection. */
const MOST_AHEAD_BYTES = 64 * 1024;
/** Node's parser's words for these. */
const CUT_SHORT = "HPE_INVALID_EOF_STATE";
const TOO_SLOW = "ERR_HTTP_REQUEST_TIMEOUT";

export interface PlainConnectionParts {
  readonly headerLimitBytes: number;
  readonly timeouts: PlainTimeouts;
  readonly serve: (request: ClientRequest, response: ClientResponse) => void;
  /** Whoever gets the connection reads it from here on, these bytes first. */
  readonly handOver: (socket: Socket, bytes: Buffer) => void;
  /** Answers, and closes the connection, without a request; `begun`: an answer is on its way there. */
  readonly refuse: (error: NodeJS.ErrnoException, socket: Socket, begun: boolean) => void;
}

/** In milliseconds. */
export interface PlainTimeouts {
  /** From the beginning of a connection to its first request. */
  readonly headersMs: number;
  /** From a request's head to the end of its body. */
  readonly requestMs: number;
  /** From one request to the next. */
  readonly keptMs: number;
}

/** A connection whose requests are read here, one at a time, until one comes that is not plain. */
export class PlainConnection {
  readonly #socket: Socket;
  readonly #parts: PlainConnectionParts;
  readonly #listeners = {
    data: (bytes: Buffer) => this.#receive(bytes),
    end: () => this.#onEnd(),
    drain: () => this.#response?.emit("drain"),
    // What follows is `close`.
    error: () => undefined,
    close: () => this.#onClose(),
  };
  #request: PlainRequest | undefined;
  #response: PlainResponse | undefined;
  /** What came behind the request that is under way, or before which everyone else is served first. */
  #ahead: Buffer | undefined;
  #waitsForTurn = false;
  #idleSinceMs = performance.now();
  #isNew = true;

  constructor(socket: Socket, parts: PlainConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#request === undefined && !this.#waitsForTurn;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends what took too long; `nowMs`: monotonic milliseconds. */
  checkTime(nowMs: number): void {
    const { headersMs, requestMs, keptMs } = this.#parts.timeouts;
    if (this.#waitsForTurn) return;
    if (this.#request === undefined) {
      const idleMs = nowMs - this.#idleSinceMs;
      if (this.#isNew && idleMs > headersMs) this.#refuse(TOO_SLOW);
      else if (idleMs > keptMs) this.destroy();
    } else if (!this.#request.complete && nowMs - this.#request.startedMs > requestMs) this.#refuse(TOO_SLOW);
  }

  #receive(bytes: Buffer): void {
    this.#isNew = false;
    const request = this.#request;
    if (this.#waitsForTurn) return this.#keep(bytes);
    if (request === undefined) return this.#begin(bytes);
    const end = Math.min(request.left, bytes.length);
    if (end > 0) request.take(end === bytes.length ? bytes : bytes.subarray(0, end));
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    this.#goOn();
  }

  #begin(bytes: Buffer): void {
    const end = bytes.indexOf(HEAD_END, 0, "latin1");
    const start = end + HEAD_END.length;
    const isWhole = end >= 0 && start < this.#parts.headerLimitBytes;
    const head = isWhole ? readPlainHead(bytes.toString("latin1", 0, end + 2)) : undefined;
    if (head === undefined) return this.#handOver(bytes);
    const keptS = Math.floor(this.#parts.timeouts.keptMs / 1000);
    const request = new PlainRequest(head, this.#socket);
    const response = new PlainResponse({ socket: this.#socket, keptS, onSent: this.#onSent });
    this.#request = request;
    this.#response = response;
    const bodyEnd = Math.min(start + head.length, bytes.length);
    if (start < bodyEnd) request.take(bytes.subarray(start, bodyEnd));
    // Before it is served: it may be answered at once.
    if (bodyEnd < bytes.length) this.#keep(bytes.subarray(bodyEnd));
    this.#parts.serve(request, response);
  }

  #keep(bytes: Buffer): void {
    this.#ahead = this.#ahead === undefined ? bytes : Buffer.concat([this.#ahead, bytes]);
    if (this.#ahead.length > MOST_AHEAD_BYTES) this.#socket.pause();
  }

  readonly #onSent = (closes: boolean): void => {
    if (closes) return this.#socket.destroySoon();
    this.#response = undefined;
    this.#goOn();
  };

  /** To the next request, when the answer is sent and its request was read to the end, which may be thrown away. */
  #goOn(): void {
    const request = this.#request;
    if (request === undefined || this.#response !== undefined) return;
    // Also of one that is there already and that nobody read: its connection may be slowed.
    request.resume();
    if (!request.complete) return;
    this.#request = undefined;
    this.#idleSinceMs = performance.now();
    if (this.#ahead === undefined) return;
    // In a turn of the loop for each: who sends very many at once would have all others wait until all are answered.
    this.#waitsForTurn = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    const ahead = this.#ahead;
    this.#waitsForTurn = false;
    this.#ahead = undefined;
    if (ahead === undefined || !this.#socket.writable) return;
    if (ahead.length > MOST_AHEAD_BYTES) this.#socket.resume();
    this.#begin(ahead);
  };

  #handOver(bytes: Buffer): void {
    this.#stop();
    this.#parts.handOver(this.#socket, bytes);
  }

  #stop(): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.off(event, listener);
  }

  #refuse(code: string): void {
    const begun = this.#response?.headersSent === true;
    this.#parts.refuse(Object.assign(new Error("the request did not come"), { code }), this.#socket, begun);
  }

  #onEnd(): void {
    // What came before the end is answered first, as far as that takes no waiting for others.
    if (this.#waitsForTurn) setImmediate(() => this.#onEnd());
    else if (this.#request?.complete === false) this.#refuse(CUT_SHORT);
    else this.#socket.end();
  }

  #onClose(): void {
    const request = this.#request;
    const response = this.#response;
    this.#request = undefined;
    this.#response = undefined;
    response?.cut();
    if (request?.complete === false) request.cut();
  }
}

import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { ClientRequest } from "../client-request.ts";
import type { PlainHead } from "./plain-head.ts";

/** More than this of a body that nobody reads yet waits on the connection. */
const MOST_WAITING_BYTES = 64 * 1024;

interface PlainRequestEvents {
  data: [Buffer];
  end: [];
  close: [];
  error: [Error];
}

/** A request whose head was read here. What there is of its body waits until `resume` is called. */
export class PlainRequest extends EventEmitter<PlainRequestEvents> implements ClientRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly socket: Socket;
  /** Monotonic milliseconds. */
  readonly startedMs = performance.now();
  #left: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #flows = false;
  #isSlowed = false;
  #ended = false;

  constructor(head: PlainHead, socket: Socket) {
    super();
    this.method = head.method;
    this.url = head.url;
    this.headers = head.headers;
    this.rawHeaders = head.rawHeaders;
    this.#left = head.length;
    this.socket = socket;
  }

  /** Bytes of the body that are to come. */
  get left(): number {
    return this.#left;
  }

  /** Whether the whole body has arrived. */
  get complete(): boolean {
    return this.#left === 0;
  }

  pause(): this {
    this.#flows = false;
    this.#slow();
    return this;
  }

  resume(): this {
    if (this.#flows) return this;
    this.#flows = true;
    const waiting = this.#waiting;
    this.#forgetWaiting();
    for (const piece of waiting) this.emit("data", piece);
    if (this.complete) this.#end();
    return this;
  }

  takeWhole(): Buffer | undefined {
    if (!this.complete || this.#flows || this.#ended) return undefined;
    const [only] = this.#waiting;
    const whole = only !== undefined && this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting);
    this.#forgetWaiting();
    this.#ended = true;
    return whole;
  }

  /** Takes a piece of the body. */
  take(piece: Buffer): void {
    this.#left -= piece.length;
    if (this.#flows) {
      this.emit("data", piece);
      if (this.complete) this.#end();
      return;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes > MOST_WAITING_BYTES) this.#slow();
  }

  /** The connection is gone. */
  cut(): void {
    this.emit("close");
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#isSlowed) this.socket.resume();
    this.#isSlowed = false;
  }

  #slow(): void {
    this.#isSlowed = true;
    this.socket.pause();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit("end");
  }
}

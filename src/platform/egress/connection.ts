import { once } from "node:events";
import type { Socket } from "node:net";
import { AppError } from "../lib/error.ts";
import { type AnswerHead, idleMs } from "./answer-head.ts";
import { type AnswerListener, AnswerParser } from "./answer-parser.ts";
import { Deadline } from "./deadline.ts";
import { receiveFrom } from "./dial.ts";
import { closedEarly, egressError, tooSlow } from "./egress-error.ts";
import type { Call, CallPlace } from "./exchange.ts";
import { requestText, writeWhole } from "./request-text.ts";
import { Upload, type UploadListener } from "./upload.ts";

/** Whoever keeps a connection. */
export interface ConnectionOwner {
  /** Its answer is complete and the next request may be sent. */
  onFree(connection: Connection): void;
  /** It is closed, and no request of a caller is on it. */
  onClosed(connection: Connection): void;
}

/** Methods whose requests have a body, if an empty one (RFC 9110, 8.6 and 9.3). */
const BODY_IS_EXPECTED = new Set(["POST", "PUT", "PATCH"]);

/** One connection to an upstream: one request at a time, and what comes while none is under way ends it. */
export class Connection implements AnswerListener, CallPlace {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #parser = new AnswerParser(this);
  readonly #deadline = new Deadline(() => this.#onLate());
  #call: Call | undefined;
  #upload: Upload | undefined;
  #lasts = true;
  #idleMs = idleMs(undefined);
  #closed = false;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    receiveFrom(socket, (bytes) => this.#receive(bytes));
    socket.on("end", () => this.#onFin());
    socket.on("error", (error) => this.#end(egressError(error, this.#call?.phase ?? "connecting")));
    socket.on("close", () => this.#end(closedEarly(this.#call?.phase ?? "connecting")));
    socket.on("drain", () => this.#upload?.onDrain());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends the request of a call, once. What cannot be sent fails the call and leaves the connection as it is. */
  send(call: Call): void {
    this.#call = call;
    call.moveTo(this, "awaiting-headers");
    try {
      this.#write(call);
    } catch (error) {
      this.#call = undefined;
      call.fail(error instanceof AppError ? error : new AppError("upstream_failed"));
      this.#owner.onFree(this);
    }
  }

  leave(call: Call): void {
    if (call === this.#call) this.destroy();
  }

  pause(): void {
    this.#socket.pause();
    if (this.#call?.phase === "receiving") this.#deadline.none();
  }

  resume(): void {
    this.#socket.resume();
    if (this.#call?.phase === "receiving") this.#deadline.in(this.#call.outbound.bodyIdleTimeoutMs);
  }

  /** Waits for its first call. */
  rest(): void {
    this.#deadline.in(this.#idleMs);
  }

  /** Closes it; a call on it fails with this error. Settles when it is closed. */
  async fail(error: AppError): Promise<void> {
    const closed = this.#socket.closed ? undefined : once(this.#socket, "close");
    this.#end(error);
    await closed;
  }

  /** Closes it at once; a call on it hears nothing more. */
  destroy(): void {
    this.#end(undefined);
  }

  onInformational(): void {
    this.#call?.onInformational();
    if (this.#call !== undefined) this.#deadline.in(this.#call.outbound.headersTimeoutMs);
  }

  onHead(head: AnswerHead): void {
    if (head.closes) this.#lasts = false;
    this.#idleMs = idleMs(head.keptMs);
    const call = this.#call;
    if (call === undefined) return;
    this.#deadline.in(call.outbound.bodyIdleTimeoutMs);
    call.onHead(head.status, head.headers);
    if (call.paused) this.#deadline.none();
  }

  onBody(piece: Buffer): void {
    this.#call?.onData(piece);
  }

  onEnd(clean: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    // An upstream that answers before it has read all: what it did not read would be the next request to it.
    const complete = this.#upload === undefined && this.#socket.writableLength === 0;
    this.#upload?.stop();
    this.#upload = undefined;
    if (!clean || !complete || !this.#lasts || this.#idleMs <= 0) this.destroy();
    else this.#free(call);
    call.onEnd();
  }

  #free(call: Call): void {
    if (call.paused) this.#socket.resume();
    this.rest();
    this.#owner.onFree(this);
  }

  #write(call: Call): void {
    const { outbound } = call;
    const { body, method } = outbound;
    // A server that reads no body here would take it for the next request, and one that sends a body to HEAD is wrong.
    if (method === "HEAD" || (body !== undefined && !BODY_IS_EXPECTED.has(method))) this.#lasts = false;
    const { text, declared } = requestText(outbound, this.#lasts);
    if (body === undefined || Buffer.isBuffer(body)) {
      const length = body?.length ?? 0;
      if (declared !== undefined && declared !== length)
        throw new AppError("upstream_failed", undefined, { detail: "request: content-length" });
      const tellsLength = body !== undefined || declared !== undefined || BODY_IS_EXPECTED.has(method);
      writeWhole(this.#socket, `${text}${tellsLength ? `content-length: ${length}\r\n` : ""}\r\n`, body);
    } else {
      const listener = this.#uploadListener(call);
      this.#upload = new Upload(body, this.#socket, { head: text, declared, listener });
    }
    this.#parser.expect(method);
    this.#deadline.in(outbound.headersTimeoutMs);
    if (call.paused) this.#socket.pause();
  }

  #uploadListener(call: Call): UploadListener {
    return {
      onProgress: () => {
        if (call.phase === "awaiting-headers") this.#deadline.in(call.outbound.headersTimeoutMs);
      },
      onSent: () => {
        this.#upload = undefined;
      },
      onBroken: () => this.#end(new AppError("upstream_failed", undefined, { detail: "request: body" })),
    };
  }

  #receive(bytes: Buffer): void {
    const call = this.#call;
    // Said before it was asked: whose answer that would be, nobody knows.
    if (call === undefined) return this.destroy();
    if (call.phase === "receiving" && !call.paused) this.#deadline.in(call.outbound.bodyIdleTimeoutMs);
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#end(error instanceof AppError ? error : new AppError("upstream_failed"));
    }
  }

  #onFin(): void {
    this.#lasts = false;
    if (!this.#parser.close()) this.#end(closedEarly(this.#call?.phase ?? "connecting"));
  }

  #onLate(): void {
    this.#end(tooSlow(this.#call?.phase ?? "connecting"));
  }

  #end(error: AppError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadline.clear();
    this.#upload?.stop();
    this.#socket.destroy();
    const call = this.#call;
    this.#call = undefined;
    this.#owner.onClosed(this);
    if (error !== undefined) call?.fail(error);
  }
}

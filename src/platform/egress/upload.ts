import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/** What becomes of a body on its way. */
export interface UploadListener {
  /** The upstream took something. */
  onProgress(): void;
  /** All of it was handed to the connection. */
  onSent(): void;
  /** It broke off, or is not as long as declared: the request cannot be completed. */
  onBroken(): void;
}

/**
 * Sends a stream as the body of one request: with the declared length, else in chunks, and never faster than the
 * connection takes it. The request's head goes out with the first piece.
 */
export class Upload {
  readonly #body: Readable;
  readonly #socket: Socket;
  readonly #declared: number | undefined;
  readonly #listener: UploadListener;
  readonly #onData = (piece: Buffer) => this.#send(piece);
  readonly #onEnd = () => this.#end();
  readonly #onBroken = () => this.#break();
  #head: string;
  #bytes = 0;
  #over = false;

  /** `head`: the request's lines without the length and the empty line. */
  constructor(
    body: Readable,
    socket: Socket,
    parts: { head: string; declared: number | undefined; listener: UploadListener },
  ) {
    this.#body = body;
    this.#socket = socket;
    this.#head = parts.head;
    this.#declared = parts.declared;
    this.#listener = parts.listener;
    body.on("error", this.#onBroken).on("close", this.#onBroken);
    body.on("data", this.#onData).on("end", this.#onEnd);
    if (body.destroyed || body.readableEnded) queueMicrotask(this.#onBroken);
  }

  /** The connection takes more. */
  onDrain(): void {
    if (this.#over) return;
    this.#listener.onProgress();
    this.#body.resume();
  }

  /** Whatever of the body is still to come is not wanted. */
  stop(): void {
    if (this.#over) return;
    this.#leave();
    this.#body.destroy();
  }

  #send(piece: Buffer): void {
    const length = piece.length;
    if (length === 0) return;
    this.#bytes += length;
    // Not one byte more than declared: the upstream would take it for the next request.
    if (this.#declared !== undefined && this.#bytes > this.#declared) return this.#break();
    const before = this.#takeHead();
    this.#socket.cork();
    const framing = this.#declared === undefined ? `${before}${length.toString(16)}\r\n` : before;
    if (framing !== "") this.#socket.write(framing, "latin1");
    let more = this.#socket.write(piece);
    if (this.#declared === undefined) more = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    if (more) this.#listener.onProgress();
    else this.#body.pause();
  }

  #end(): void {
    if (this.#over) return;
    if (this.#declared !== undefined && this.#bytes !== this.#declared) return this.#break();
    const last = `${this.#takeHead()}${this.#declared === undefined ? "0\r\n\r\n" : ""}`;
    if (last !== "") this.#socket.write(last, "latin1");
    this.#leave();
    this.#listener.onSent();
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = "";
    if (head === "") return "";
    const framing =
      this.#declared === undefined ? "transfer-encoding: chunked" : `content-length: ${this.#declared}`;
    return `${head}${framing}\r\n\r\n`;
  }

  #break(): void {
    if (this.#over) return;
    this.#leave();
    this.#body.destroy();
    this.#listener.onBroken();
  }

  #leave(): void {
    this.#over = true;
    this.#body.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onBroken);
  }
}

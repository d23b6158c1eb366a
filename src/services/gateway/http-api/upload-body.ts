import { Readable } from "node:stream";
import type { ClientRequest, ClientResponse } from "#platform/http/client-request.ts";
import { AppError } from "#platform/lib/error.ts";

interface UploadParts {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly limitBytes: number;
  /** Told once when the body is larger than the limit or stops before its end; nothing more is read then. */
  readonly onBroken: (error: AppError) => void;
}

/**
 * A client's body on its way to an upstream, read as fast as the upstream takes it. A client that waits for
 * `100 Continue` is told to go on when the upstream is connected and reads.
 */
export class UploadBody extends Readable {
  readonly #parts: UploadParts;
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  readonly #onEnd = () => {
    this.#parts.request.off("close", this.#onCut);
    this.push(null);
  };
  readonly #onCut = () =>
    this.#break(new AppError("bad_request", "The request ended before its body was complete."));
  #begun = false;
  #bytes = 0;

  constructor(parts: UploadParts) {
    super();
    this.#parts = parts;
  }

  override _read(): void {
    if (!this.#begun) this.#begin();
    this.#parts.request.resume();
  }

  /** What still comes is thrown away, so that the client can read why it was refused. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { request } = this.#parts;
    request.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onCut);
    request.resume();
    done(error);
  }

  #begin(): void {
    const { request, response } = this.#parts;
    this.#begun = true;
    request.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onCut);
    request.on("error", () => undefined);
    const waits = request.headers.expect?.toLowerCase() === "100-continue";
    if (waits && !response.headersSent) response.writeContinue();
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#parts.limitBytes) return this.#break(new AppError("body_too_large"));
    if (!this.push(chunk)) this.#parts.request.pause();
  }

  #break(error: AppError): void {
    if (this.destroyed) return;
    this.#parts.onBroken(error);
    this.destroy();
  }
}

import type { Readable } from "node:stream";
import type { Dispatcher, Pool } from "undici";
import { AppError } from "#platform/lib/error.ts";
import { type EgressPhase, egressError } from "./egress-error.ts";

/** Hears one answer: `onHeaders`, then any `onData`, then `onEnd`; or, at any point, one `onError` and no more. */
export interface UpstreamHandler {
  /** `rawHeaders`: name, value, name, value, one latin1 character a byte. Never a 1xx, and of 3xx only a 304 that was asked for. */
  onHeaders(status: number, rawHeaders: readonly string[]): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: AppError): void;
}

/** A request under way. */
export interface Exchange {
  /** Closes the upstream connection; the handler hears nothing more. */
  abort(): void;
  /** Stops reading, for back-pressure; a few chunks already read may still come. */
  pause(): void;
  resume(): void;
}

interface Outbound {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly string[];
  readonly body?: Buffer | Readable;
  readonly target?: string;
  readonly signal?: AbortSignal;
  readonly headersTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
}

const MAX_INFORMATIONAL = 32;

/** Sends over the pool, or fails in the next microtask with the error given in its place. */
export function exchange(request: Outbound, handler: UpstreamHandler, pool: Pool | AppError): Exchange {
  const under = new PoolExchange(handler, {
    signal: request.signal,
    conditional: isConditional(request.headers),
  });
  if (pool instanceof AppError) {
    queueMicrotask(() => under.fail(pool));
    return under;
  }
  if (request.signal?.aborted === true) return under;
  const options = {
    path: request.target ?? request.url.pathname + request.url.search,
    method: request.method,
    headers: [...request.headers],
    body: request.body ?? null,
    headersTimeout: request.headersTimeoutMs,
    bodyTimeout: request.bodyIdleTimeoutMs,
  };
  pool.dispatch(options, under);
  return under;
}

class PoolExchange implements Exchange, Dispatcher.DispatchHandler {
  readonly #handler: UpstreamHandler;
  readonly #signal: AbortSignal | undefined;
  readonly #conditional: boolean;
  readonly #onAbort = () => this.abort();
  #controller: Dispatcher.DispatchController | undefined;
  #phase: EgressPhase = "connecting";
  #over = false;
  #paused = false;
  #informational = 0;

  constructor(
    handler: UpstreamHandler,
    { signal, conditional }: { signal: AbortSignal | undefined; conditional: boolean },
  ) {
    this.#handler = handler;
    this.#conditional = conditional;
    this.#signal = signal;
    if (signal?.aborted === true) this.#over = true;
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  abort(): void {
    // Callers abort what is over too; then there is nothing to stop and no error to make, whose stack costs most.
    if (this.#over) return;
    this.#finish();
    this.#controller?.abort(new Error("aborted"));
  }

  pause(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#controller?.resume();
  }

  fail(error: AppError): void {
    if (this.#over) return;
    this.abort();
    this.#handler.onError(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#phase = "awaiting-headers";
    // Left while it waited for a connection: nothing is sent.
    if (this.#over) controller.abort(new Error("aborted"));
    else if (this.#paused) controller.pause();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return;
    if (status < 200) return this.#passOver();
    this.#phase = "receiving";
    if (status >= 300 && status < 400 && !(status === 304 && this.#conditional)) {
      this.fail(new AppError("upstream_failed", "The upstream answered with a redirect; none is followed."));
      return;
    }
    this.#handler.onHeaders(status, rawHeadersOf(controller));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#handler.onData(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#finish();
    this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#finish();
    this.#handler.onError(error instanceof AppError ? error : egressError(error, this.#phase));
  }

  /** Each informational answer starts the timeout for the head anew, so that without end they would hold the request. */
  #passOver(): void {
    this.#informational += 1;
    if (this.#informational <= MAX_INFORMATIONAL) return;
    this.fail(new AppError("upstream_failed", "The upstream sent informational answers without end."));
  }

  #finish(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** Whether 304 may be the answer (RFC 9110, 13.1). */
function isConditional(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2)
    if (/^if-(none-match|modified-since)$/i.test(headers[at] ?? "")) return true;
  return false;
}

function rawHeadersOf(controller: Dispatcher.DispatchController): string[] {
  const raw = controller.rawHeaders;
  if (!Array.isArray(raw)) return [];
  return raw.map((part) => (typeof part === "string" ? part : part.toString("latin1")));
}

import type { Readable } from "node:stream";
import { AppError } from "#platform/lib/error.ts";
import type { EgressPhase } from "./egress-error.ts";

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

/** What is to be sent, with everything that was left to defaults. */
export interface Outbound {
  readonly method: string;
  readonly target: string;
  /** For the Host header, where the caller gives none. */
  readonly host: string;
  readonly headers: readonly string[];
  readonly body: Buffer | Readable | undefined;
  readonly headersTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
}

/** Where a call stands at the moment: waiting for a connection, or on one. */
export interface CallPlace {
  /** The call is over for its caller; nothing more of it is wanted. */
  leave(call: Call): void;
  pause(): void;
  resume(): void;
}

const MAX_INFORMATIONAL = 32;

/** One request and its answer, from the caller's side: it is over exactly once. */
export class Call implements Exchange {
  readonly outbound: Outbound;
  readonly #handler: UpstreamHandler;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.abort();
  readonly #onDenied: ((error: AppError) => void) | undefined;
  #place: CallPlace | undefined;
  #phase: EgressPhase = "connecting";
  #over = false;
  #paused = false;
  #informational = 0;

  constructor(
    outbound: Outbound,
    handler: UpstreamHandler,
    parts: { signal: AbortSignal | undefined; onDenied: ((error: AppError) => void) | undefined },
  ) {
    this.outbound = outbound;
    this.#handler = handler;
    this.#signal = parts.signal;
    this.#onDenied = parts.onDenied;
    if (parts.signal?.aborted === true) this.#over = true;
    else parts.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get over(): boolean {
    return this.#over;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** How far it has come. */
  get phase(): EgressPhase {
    return this.#phase;
  }

  /** It waits there now, or is sent there when the phase says so. */
  moveTo(place: CallPlace, phase: EgressPhase): void {
    this.#place = place;
    this.#phase = phase;
  }

  abort(): void {
    if (this.#over) return;
    this.#finish();
    this.#place?.leave(this);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#over) this.#place?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#over) this.#place?.resume();
  }

  fail(error: AppError): void {
    if (this.#over) return;
    this.abort();
    if (error.code === "egress_denied") this.#onDenied?.(error);
    this.#handler.onError(error);
  }

  onInformational(): void {
    this.#informational += 1;
    if (this.#informational > MAX_INFORMATIONAL)
      this.fail(new AppError("upstream_failed", "The upstream sent informational answers without end."));
  }

  onHead(status: number, headers: readonly string[]): void {
    if (this.#over) return;
    this.#phase = "receiving";
    if (status >= 300 && status < 400 && !(status === 304 && isConditional(this.outbound.headers)))
      this.fail(new AppError("upstream_failed", "The upstream answered with a redirect; none is followed."));
    else this.#handler.onHeaders(status, headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#over) this.#handler.onData(chunk);
  }

  onEnd(): void {
    if (this.#over) return;
    this.#finish();
    this.#handler.onEnd();
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

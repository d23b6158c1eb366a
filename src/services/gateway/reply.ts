import type { ServerResponse } from "node:http";
import type { Exchange as UpstreamCall, UpstreamHandler } from "#platform/egress/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import { openaiError, openaiStreamError } from "./dialects/openai.ts";
import { EventRelay } from "./event-relay.ts";
import { clientHeaders } from "./headers.ts";
import type { Redactor } from "./redact.ts";

const FIXED_LIMIT_BYTES = 64 * 1024;
const ERROR_BODY_LIMIT_BYTES = 1024 * 1024;

export interface ReplyOutcome {
  readonly status: number;
  /** Monotonic milliseconds of the first byte sent; null when none was. */
  readonly firstByteMs: number | null;
  readonly streamed: boolean;
}

/**
 * Carries one upstream answer to the client: small fixed replies in one write, larger ones as they come, event streams
 * by whole events. Slows the upstream when the client is slow and closes it when the client leaves.
 */
export class Reply implements UpstreamHandler {
  readonly #response: ServerResponse;
  readonly #requestId: string;
  readonly #redactor: Redactor;
  readonly #done: (outcome: ReplyOutcome) => void;
  #call: UpstreamCall | undefined;
  #status = 0;
  #headers: string[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #relay: EventRelay | undefined;
  #firstByteMs: number | null = null;
  #ended = false;

  constructor(
    response: ServerResponse,
    parts: { requestId: string; redactor: Redactor; done: (outcome: ReplyOutcome) => void },
  ) {
    this.#response = response;
    this.#requestId = parts.requestId;
    this.#redactor = parts.redactor;
    this.#done = parts.done;
    response.on("drain", () => this.#call?.resume());
    response.on("close", () => this.#leave());
  }

  /** The running upstream call, so that it can be slowed and closed. */
  attach(call: UpstreamCall): void {
    this.#call = call;
    if (this.#ended) call.abort();
  }

  onHeaders(status: number, rawHeaders: readonly string[]): void {
    if (this.#ended) return;
    if (status === 401 || status === 403) return this.end(new AppError("upstream_credential_rejected"));
    this.#status = status;
    this.#headers = clientHeaders(rawHeaders, this.#redactor);
    if (status < 300 && isEventStream(this.#headers)) this.#relay = new EventRelay();
  }

  onData(chunk: Buffer): void {
    if (this.#ended) return;
    if (this.#relay !== undefined) return this.#relayChunk(this.#relay, chunk);
    if (this.#response.headersSent) return this.#write(this.#redactor.bytes(chunk));
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    const limit = this.#status >= 400 ? ERROR_BODY_LIMIT_BYTES : FIXED_LIMIT_BYTES;
    if (this.#heldBytes <= limit) return;
    if (this.#status >= 400) return this.end(new AppError("upstream_failed"));
    this.#start();
    this.#write(this.#takeHeld());
  }

  onEnd(): void {
    if (this.#ended) return;
    if (this.#relay !== undefined) return this.#endStream(this.#relay);
    if (this.#response.headersSent) return this.#finish();
    const body = this.#takeHeld();
    this.#firstByteMs = performance.now();
    this.#response.writeHead(this.#status, [
      ...this.#headers,
      "x-request-id",
      this.#requestId,
      "content-length",
      String(body.length),
    ]);
    this.#finish(body);
  }

  onError(error: AppError): void {
    this.end(error);
  }

  /** Ends the answer with an error: as a status when nothing was sent, as an event in a stream, else by cutting the connection. */
  end(error: AppError): void {
    if (this.#ended) return;
    this.#call?.abort();
    if (!this.#response.headersSent) {
      const reply = openaiError(error, this.#requestId);
      this.#status = reply.status;
      this.#response.writeHead(reply.status, {
        ...reply.headers,
        "content-length": Buffer.byteLength(reply.body),
      });
      return this.#finish(reply.body);
    }
    if (this.#relay !== undefined) return this.#finish(openaiStreamError(error));
    this.#ended = true;
    this.#response.destroy();
    this.#report();
  }

  #relayChunk(relay: EventRelay, chunk: Buffer): void {
    const events = relay.push(chunk);
    if (events === undefined) return;
    if (!this.#response.headersSent) {
      if (relay.firstEvent?.isError === true)
        return this.end(new AppError("upstream_failed", "The upstream answered with an error."));
      this.#start();
    }
    this.#write(this.#redactor.bytes(events));
  }

  #endStream(relay: EventRelay): void {
    const { finished, rest } = relay.end();
    if (!finished)
      return this.end(
        new AppError("upstream_failed", "The upstream ended its stream before it was complete."),
      );
    if (!this.#response.headersSent) this.#start();
    this.#finish(this.#redactor.bytes(rest));
  }

  #start(): void {
    this.#firstByteMs = performance.now();
    this.#response.writeHead(this.#status, [...this.#headers, "x-request-id", this.#requestId]);
  }

  #write(bytes: Buffer): void {
    if (!this.#response.write(bytes)) this.#call?.pause();
  }

  #takeHeld(): Buffer {
    const whole = this.#redactor.bytes(Buffer.concat(this.#held, this.#heldBytes));
    this.#held = [];
    return whole;
  }

  #finish(last?: Buffer): void {
    this.#ended = true;
    this.#response.end(last);
    this.#report();
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call?.abort();
    this.#report();
  }

  #report(): void {
    this.#done({ status: this.#status, firstByteMs: this.#firstByteMs, streamed: this.#relay !== undefined });
  }
}

function isEventStream(headers: readonly string[]): boolean {
  const at = headers.indexOf("content-type");
  return at >= 0 && (headers[at + 1] ?? "").toLowerCase().startsWith("text/event-stream");
}

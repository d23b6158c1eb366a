import type { UpstreamHandler } from "#platform/egress/exchange.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { type BodyFlow, ErrorBody, PlainBody, UnclearBody } from "./body-flow.ts";
import type { ClientAnswer } from "./client-answer.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { EventFlow } from "./event-flow.ts";
import { clientHeaders, withOwn } from "./headers.ts";
import { JsonAnswer } from "./json-answer.ts";
import type { Redactor } from "./redact.ts";
import type { StreamEnding } from "./stream-ending.ts";
import type { UsageMeter } from "./usage/usage-meter.ts";

interface ReplyParts {
  readonly answer: ClientAnswer;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly meter: UsageMeter;
  /** Told of the upstream's head before anything comes of it. */
  readonly onHead: (status: number, rawHeaders: readonly string[]) => void;
  /** `provider/model`, for the header `x-claviger-target`. */
  readonly target: string;
  readonly shape: {
    readonly dialect: Dialect;
    readonly requestId: string;
    readonly ending: StreamEnding;
    /** When the client asked, on `clock`. */
    readonly askedAt: number;
    /** The client will read nothing but an event stream. */
    readonly mustStream: boolean;
    /** The client will read nothing but one JSON object. */
    readonly mustBeJson: boolean;
  };
}

/** Carries one upstream answer to the client's: its head decides in which way the body goes. */
export class Reply implements UpstreamHandler {
  readonly #parts: ReplyParts;
  #flow: BodyFlow | undefined;

  constructor(parts: ReplyParts) {
    this.#parts = parts;
  }

  onHeaders(status: number, rawHeaders: readonly string[]): void {
    const { answer } = this.#parts;
    this.#parts.onHead(status, rawHeaders);
    if (status === 401 || status === 403) return answer.end(new AppError("upstream_credential_rejected"));
    if (isCompressed(rawHeaders))
      return answer.end(
        new AppError("upstream_failed", "The upstream compressed its answer, though asked not to."),
      );
    const headers = clientHeaders(rawHeaders, this.#parts.redactor);
    headers.push("x-claviger-target", headerText(this.#parts.target));
    this.#flow = this.#flowFor(status, headers, isDelimited(rawHeaders));
  }

  onData(chunk: Buffer): void {
    if (!this.#parts.answer.over) this.#flow?.push(chunk);
  }

  onEnd(): void {
    if (!this.#parts.answer.over) this.#flow?.end();
  }

  onError(error: AppError): void {
    if (this.#flow?.wasComplete?.() !== true) this.#parts.answer.end(error);
  }

  #flowFor(status: number, headers: string[], delimited: boolean): BodyFlow {
    const { answer, redactor, clock, meter, shape } = this.#parts;
    const { dialect, requestId, ending, askedAt } = shape;
    if (status >= 400) return new ErrorBody({ answer, redactor, dialect, requestId }, { status, headers });
    if (shape.mustBeJson)
      return new JsonAnswer({ answer, redactor, meter, delimited }, { status, headers: asJson(headers) });
    const events = (own: string[]) =>
      new EventFlow({ answer, redactor, clock, meter, ending, askedAt }, { status, headers: own });
    if (isEventStream(headers)) return events(headers);
    if (!shape.mustStream) return new PlainBody({ answer, redactor, meter }, { status, headers });
    return new UnclearBody({ answer, redactor }, () => events(asEventStream(headers)));
  }
}

function headerValue(headers: readonly string[], name: string): string {
  // The length first: most names differ in it, and need not be made lower case.
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (headers[at]?.length === name.length && headers[at]?.toLowerCase() === name)
      return (headers[at + 1] ?? "").toLowerCase();
  return "";
}

function isEventStream(headers: readonly string[]): boolean {
  return headerValue(headers, "content-type").startsWith("text/event-stream");
}

function isCompressed(headers: readonly string[]): boolean {
  const coding = headerValue(headers, "content-encoding").trim();
  return coding !== "" && coding !== "identity";
}

/** Whether the end of the body is told by more than the end of the connection. */
function isDelimited(rawHeaders: readonly string[]): boolean {
  return (
    headerValue(rawHeaders, "content-length") !== "" || headerValue(rawHeaders, "transfer-encoding") !== ""
  );
}

function asEventStream(headers: readonly string[]): string[] {
  return withContentType(headers, "text/event-stream; charset=utf-8");
}

/** The SDKs take an object under another content type for a text, and an answer complete. */
function asJson(headers: string[]): string[] {
  const isJson = /^application\/(\S+\+)?json\b/.test(headerValue(headers, "content-type"));
  return isJson ? headers : withContentType(headers, "application/json");
}

function withContentType(headers: readonly string[], type: string): string[] {
  return withOwn(headers, ["content-type", type]);
}

/** Model names are a client's text: what no header may hold is percent-coded. */
function headerText(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  return text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}

import { AppError } from "#platform/lib/error.ts";
import type { ClientAnswer } from "./client-answer.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { withOwn } from "./headers.ts";
import type { Redactor, StreamRedactor } from "./redact.ts";
import { upstreamMessage } from "./upstream-message.ts";
import type { UsageMeter } from "./usage/usage-meter.ts";

/** One way for an upstream's body to reach the client. */
export interface BodyFlow {
  push(chunk: Buffer): void;
  end(): void;
  /** The upstream failed; true when the client had everything by then, and its answer was finished here. */
  wasComplete?(): boolean;
}

/** Head of the answer: headers as name, value, name, value, the names in lower case. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: string[];
}

const FIXED_LIMIT_BYTES = 64 * 1024;
const ERROR_LIMIT_BYTES = 1024 * 1024;

/** An answer that succeeded and is no stream: up to 64 KiB in one write, beyond that piece by piece. */
export class PlainBody implements BodyFlow {
  readonly #answer: ClientAnswer;
  readonly #head: AnswerHead;
  readonly #redaction: StreamRedactor;
  readonly #meter: UsageMeter;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #started = false;

  constructor(parts: { answer: ClientAnswer; redactor: Redactor; meter: UsageMeter }, head: AnswerHead) {
    this.#answer = parts.answer;
    this.#meter = parts.meter;
    this.#redaction = parts.redactor.stream();
    this.#head = head;
  }

  push(chunk: Buffer): void {
    this.#meter.body(chunk);
    const clean = this.#redaction.push(chunk);
    if (this.#started) return this.#answer.write(clean);
    this.#held.push(clean);
    this.#heldBytes += clean.length;
    if (this.#heldBytes <= FIXED_LIMIT_BYTES) return;
    this.#started = true;
    this.#answer.start(this.#head.status, this.#head.headers);
    this.#answer.write(Buffer.concat(this.#held));
    this.#held = [];
  }

  end(): void {
    const rest = this.#redaction.end();
    if (this.#started) return this.#answer.finish(rest);
    const [only] = this.#held;
    const isOne = only !== undefined && this.#held.length === 1 && rest.length === 0;
    const body = isOne ? only : Buffer.concat([...this.#held, rest]);
    this.#answer.sendWhole(this.#head.status, this.#head.headers, body);
  }
}

/** An error answer, held whole: passed as it is when it bears an `error`, else put into the client's dialect. */
export class ErrorBody implements BodyFlow {
  readonly #parts: { answer: ClientAnswer; redactor: Redactor; dialect: Dialect; requestId: string };
  readonly #head: AnswerHead;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(
    parts: { answer: ClientAnswer; redactor: Redactor; dialect: Dialect; requestId: string },
    head: AnswerHead,
  ) {
    this.#parts = parts;
    this.#head = head;
  }

  push(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > ERROR_LIMIT_BYTES)
      this.#parts.answer.end(new AppError("upstream_failed", "The upstream's error is larger than 1 MiB."));
  }

  end(): void {
    const { answer, redactor, dialect, requestId } = this.#parts;
    const { status, headers } = this.#head;
    const body = redactor.error(Buffer.concat(this.#held));
    const { inDialect, message } = upstreamMessage(body);
    if (inDialect) return answer.sendWhole(status, headers, dialect.relayedError(status, body, requestId));
    const text = message ?? `The upstream answered with status ${status}.`;
    const own = dialect.upstreamError(status, text, requestId);
    const type = ["content-type", "application/json; charset=utf-8"];
    answer.sendWhole(status, withOwn(headers, type), own);
  }
}

/**
 * The answer to a client that reads nothing but events, under another content type: passed as events when it looks
 * like some, else 502, because the client would take anything else for an empty stream that ended well.
 */
export class UnclearBody implements BodyFlow {
  readonly #parts: { answer: ClientAnswer; redactor: Redactor };
  readonly #asEvents: () => BodyFlow;
  #flow: BodyFlow | undefined;
  #held: Buffer = Buffer.alloc(0);

  constructor(parts: { answer: ClientAnswer; redactor: Redactor }, asEvents: () => BodyFlow) {
    this.#parts = parts;
    this.#asEvents = asEvents;
  }

  push(chunk: Buffer): void {
    if (this.#flow !== undefined) return this.#flow.push(chunk);
    this.#held = Buffer.concat([this.#held, chunk]);
    if (/^(\xef\xbb\xbf)?\s*(data|event|id|retry)?:/.test(this.#held.toString("latin1", 0, 64))) {
      this.#flow = this.#asEvents();
      this.#flow.push(this.#held);
      this.#held = Buffer.alloc(0);
    } else if (this.#held.length > FIXED_LIMIT_BYTES) this.#refuse();
  }

  end(): void {
    if (this.#flow !== undefined) return this.#flow.end();
    this.#refuse();
  }

  #refuse(): void {
    const { message } = upstreamMessage(this.#parts.redactor.error(this.#held));
    const text = message ?? "The upstream did not answer with an event stream.";
    this.#parts.answer.end(new AppError("upstream_failed", text));
  }
}

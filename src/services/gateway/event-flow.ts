import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { AnswerHead, BodyFlow } from "./body-flow.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { EventRelay } from "./event-relay.ts";
import type { Redactor, StreamRedactor } from "./redact.ts";
import type { StreamEnding } from "./stream-ending.ts";
import { upstreamMessage } from "./upstream-message.ts";
import type { UsageMeter } from "./usage/usage-meter.ts";

/** Comments that may precede the first event with data. */
const PREFACE_LIMIT_BYTES = 64 * 1024;
/**
 * How long after the request comments alone are held back. A thinking upstream that keeps its line open with them must not look dead
 * to the client or to a proxy between; after this time they pass, and a later error comes as an event.
 */
const PREFACE_HELD_MS = 30_000;
const LINE_BREAKS = Buffer.from("\n\n");
const NOTHING = Buffer.alloc(0);

interface EventFlowParts {
  readonly answer: ClientAnswer;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly ending: StreamEnding;
  readonly meter: UsageMeter;
  /** When the client asked, on `clock`. */
  readonly askedAt: number;
}

/** An event stream: nothing is sent before its first event with data was judged; from then on whole events, at once. */
export class EventFlow implements BodyFlow {
  readonly #parts: EventFlowParts;
  readonly #head: AnswerHead;
  readonly #relay: EventRelay;
  readonly #redaction: StreamRedactor;
  #preface: Buffer[] = [];
  #prefaceBytes = 0;
  #started = false;
  /** The events that passed last. */
  #last: Buffer = NOTHING;

  constructor(parts: EventFlowParts, head: AnswerHead) {
    this.#parts = parts;
    this.#head = head;
    this.#relay = new EventRelay(parts.ending);
    this.#redaction = parts.redactor.stream();
  }

  push(chunk: Buffer): void {
    const complete = this.#relay.push(chunk);
    if (complete === undefined) return;
    this.#last = complete;
    const events = this.#parts.meter.events(complete);
    if (this.#started) return this.#parts.answer.write(this.#redaction.push(events));
    this.#preface.push(events);
    this.#prefaceBytes += events.length;
    this.#judge();
  }

  end(): void {
    const { answer } = this.#parts;
    const { finished, rest } = this.#relay.end();
    if (!this.#started && this.#isEmpty()) return answer.end(failure("The upstream's stream was empty."));
    if (!finished) return answer.end(failure("The upstream ended its stream before it was complete."));
    if (!this.#started) this.#start();
    const last = this.#parts.meter.events(rest);
    answer.finish(Buffer.concat([this.#redaction.push(last), this.#redaction.end()]));
  }

  /** After its last event nothing is missing, and an error behind it would be no event of the stream. */
  wasComplete(): boolean {
    if (!this.#started || this.#relay.insideEvent || !this.#parts.ending.isLast(this.#last)) return false;
    this.#parts.answer.finish(this.#redaction.end());
    return true;
  }

  #judge(): void {
    const { answer, redactor, clock, askedAt } = this.#parts;
    const first = this.#relay.firstEvent;
    if (first?.isError === true) {
      const { message } = upstreamMessage(redactor.error(Buffer.from(first.data)));
      return answer.end(failure(message ?? "The upstream answered with an error."));
    }
    if (first !== undefined && !this.#isEmpty()) return this.#start();
    if (this.#prefaceBytes > PREFACE_LIMIT_BYTES)
      return answer.end(failure("The upstream sent comments without end."));
    if (clock.now() - askedAt >= PREFACE_HELD_MS) this.#start();
  }

  /** No event with data came, or none but the end mark. */
  #isEmpty(): boolean {
    const first = this.#relay.firstEvent;
    return first === undefined || first.data === "[DONE]";
  }

  #start(): void {
    this.#started = true;
    const beforeCut = () => (this.#relay.insideEvent ? LINE_BREAKS : NOTHING);
    this.#parts.answer.startEvents(this.#head.status, this.#head.headers, beforeCut);
    const [only] = this.#preface;
    const isOne = only !== undefined && this.#preface.length === 1;
    this.#parts.answer.write(this.#redaction.push(isOne ? only : Buffer.concat(this.#preface)));
    this.#preface = [];
  }
}

function failure(message: string): AppError {
  return new AppError("upstream_failed", message);
}

import { bytesFinder } from "#platform/lib/bytes-finder.ts";
import { AppError } from "#platform/lib/error.ts";
import { type AnswerHead, type BodyFlow, PlainBody } from "./body-flow.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { JsonBalance } from "./json-balance.ts";
import type { Redactor } from "./redact.ts";
import { upstreamMessage } from "./upstream-message.ts";
import type { UsageMeter } from "./usage/usage-meter.ts";

interface JsonAnswerParts {
  readonly answer: ClientAnswer;
  readonly redactor: Redactor;
  readonly meter: UsageMeter;
  /** Whether the upstream told where its body ends. */
  readonly delimited: boolean;
}

/** An answer that is an error is small; a larger one is not searched for it. */
const ERROR_LIMIT_BYTES = 64 * 1024;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const findError = bytesFinder(Buffer.from('"error"'));
/** What an object has that is an answer, although its `error` is told: a response that failed, say. */
const ANSWER_KEYS = ["object", "choices", "data", "output", "content"];

/**
 * The answer to a client that reads one JSON object: passed on byte for byte when it looks like one, else 502 (or a
 * cut, once it was under way), because an SDK would take a page, an empty body or an error under status 200 for a
 * result. Its first and last byte are judged, and the whole of a body whose end is only the connection's.
 */
export class JsonAnswer implements BodyFlow {
  readonly #parts: JsonAnswerParts;
  readonly #flow: PlainBody;
  readonly #balance: JsonBalance | undefined;
  #held: Buffer[] = [];
  #bytes = 0;
  #first: number | undefined;
  #last: number | undefined;

  constructor(parts: JsonAnswerParts, head: AnswerHead) {
    this.#parts = parts;
    this.#flow = new PlainBody(parts, head);
    this.#balance = parts.delimited ? undefined : new JsonBalance();
  }

  push(chunk: Buffer): void {
    this.#first ??= firstOf(chunk, this.#bytes === 0);
    this.#last = lastOf(chunk) ?? this.#last;
    this.#bytes += chunk.length;
    this.#balance?.push(chunk);
    if (this.#first !== undefined && this.#first !== OPEN_BRACE) return this.#refuse();
    if (this.#bytes <= ERROR_LIMIT_BYTES) this.#held.push(chunk);
    else this.#held = [];
    this.#flow.push(chunk);
  }

  end(): void {
    if (this.#last !== CLOSE_BRACE || this.#balance?.complete === false) return this.#refuse();
    const body = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    if (body !== undefined && findError(body) !== -1 && isError(body))
      return this.#refuse(upstreamMessage(this.#parts.redactor.error(body)).message);
    this.#flow.end();
  }

  #refuse(message = "The upstream did not answer with a whole JSON object."): void {
    this.#parts.answer.end(new AppError("upstream_failed", message));
  }
}

function firstOf(chunk: Buffer, mayHaveMark: boolean): number | undefined {
  const from = mayHaveMark && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
  for (let at = from; at < chunk.length; at += 1) if (isInk(chunk[at] ?? 0)) return chunk[at];
  return undefined;
}

function lastOf(chunk: Buffer): number | undefined {
  for (let at = chunk.length - 1; at >= 0; at -= 1) if (isInk(chunk[at] ?? 0)) return chunk[at];
  return undefined;
}

function isInk(byte: number): boolean {
  return byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09;
}

function isError(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== "object" || value === null || !("error" in value)) return false;
    return value.error != null && !ANSWER_KEYS.some((key) => key in value);
  } catch {
    return false;
  }
}

import { type AnswerHead, badAnswer, readAnswerHead } from "./answer-head.ts";
import { ChunkedBody } from "./chunked-body.ts";

/** Hears of one answer: any number of informational heads, the head, pieces of the body, the end. */
export interface AnswerListener {
  onInformational(): void;
  onHead(head: AnswerHead): void;
  /** At most once a `push`: a piece of the body, in memory of its own. */
  onBody(piece: Buffer): void;
  /** `clean`: the connection is at a place where the next answer may begin. */
  onEnd(clean: boolean): void;
}

const MAX_HEAD_BYTES = 32 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");
const PROTOCOL = Buffer.from("HTTP/1.");
const LF = 0x0a;
const CR = 0x0d;

type Body = "none" | "length" | "chunks" | "until-close";

/**
 * Reads the answers of one connection (RFC 9112), one at a time, however the bytes are cut. Strict: what two readers
 * could read differently is no answer.
 */
export class AnswerParser {
  readonly #listener: AnswerListener;
  #method = "";
  #head: AnswerHead | undefined;
  #held: Buffer | undefined;
  #body: Body = "none";
  #left = 0;
  #chunks = new ChunkedBody();
  #over = true;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** An answer to a request of this method is to come. */
  expect(method: string): void {
    this.#method = method;
    this.#head = undefined;
    this.#over = false;
  }

  /** Takes what came; `bytes` may be changed. Throws AppError `upstream_failed`, and is then of no more use. */
  push(bytes: Buffer): void {
    let at = 0;
    while (this.#head === undefined && !this.#over) {
      const taken = this.#takeHead(bytes, at);
      if (taken === undefined) return;
      at = taken;
    }
    if (this.#over) throw badAnswer("bytes behind its end");
    this.#takeBody(bytes, at);
  }

  /** The connection ended. False when the answer was not complete. */
  close(): boolean {
    if (this.#head === undefined || this.#body !== "until-close" || this.#over) return false;
    this.#finish(false);
    return true;
  }

  /** Where the body begins, once the head is whole; what is there of it is kept until then. */
  #takeHead(bytes: Buffer, from: number): number | undefined {
    const held = this.#held;
    const all = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const start = held === undefined ? from : 0;
    const end = all.indexOf(HEAD_END, start, "latin1");
    if (end - start > MAX_HEAD_BYTES) throw badAnswer("a head over 32 KiB");
    if (end < 0) {
      checkBegun(all.subarray(start));
      this.#held = held === undefined ? Buffer.from(all.subarray(start)) : all;
      return undefined;
    }
    this.#held = undefined;
    const head = readAnswerHead(all.toString("latin1", start, end + 2));
    if (head.status >= 200) this.#begin(head);
    else this.#passOver(head.status);
    return end + HEAD_END.length - (held?.length ?? 0);
  }

  /** What nobody asked for, a change of protocol or leave to send, is no answer to what was asked. */
  #passOver(status: number): void {
    if (status === 100 || status === 101) throw badAnswer("an informational answer nobody asked for");
    this.#listener.onInformational();
  }

  #begin(head: AnswerHead): void {
    this.#head = head;
    this.#left = head.length ?? 0;
    this.#body = bodyOf(head, this.#method);
    if (this.#body === "chunks") this.#chunks = new ChunkedBody();
    this.#listener.onHead(head);
  }

  #takeBody(bytes: Buffer, at: number): void {
    switch (this.#body) {
      case "none":
        return this.#finish(at === bytes.length);
      case "length": {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.#pass(bytes, at, end);
        if (this.#left === 0) this.#finish(end === bytes.length);
        return;
      }
      case "chunks": {
        const { start, dataEnd, end } = this.#chunks.take(bytes, at);
        this.#pass(bytes, start, dataEnd);
        if (this.#chunks.over) this.#finish(end === bytes.length);
        return;
      }
      default:
        this.#pass(bytes, at, bytes.length);
    }
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return;
    // Copied, for the memory that was read into is read into again.
    const piece = Buffer.allocUnsafe(to - from);
    bytes.copy(piece, 0, from, to);
    this.#listener.onBody(piece);
  }

  #finish(clean: boolean): void {
    this.#over = true;
    this.#listener.onEnd(clean && this.#body !== "until-close");
  }
}

/** RFC 9112, 6.3. */
function bodyOf(head: AnswerHead, method: string): Body {
  if (method === "HEAD" || head.status === 204 || head.status === 304 || head.length === 0) return "none";
  if (head.chunked) return "chunks";
  return head.length === undefined ? "until-close" : "length";
}

/** What cannot become a head is refused at once, and not when the time for it is over. */
function checkBegun(bytes: Buffer): void {
  if (bytes.length > MAX_HEAD_BYTES) throw badAnswer("a head over 32 KiB");
  const known = Math.min(bytes.length, PROTOCOL.length);
  if (bytes.compare(PROTOCOL, 0, known, 0, known) !== 0) throw badAnswer("no HTTP");
  const lineEnd = bytes.indexOf(LF);
  if (lineEnd >= 0 && bytes[lineEnd - 1] !== CR) throw badAnswer("a line end without CR");
}

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { knownNames } from "../../lib/known-names.ts";
import type { ClientResponse } from "../client-request.ts";
import { STATUS_CODES } from "../node-http.ts";

/** RFC 9110, 5.1 and 5.5. */
const NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const NOT_OF_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** To these no body belongs, and nothing that would frame it. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** A value that was another this often, and never the same between, is not remembered any more. */
const MOST_CHANGES = 8;
/** Longer ones are not remembered. */
const LONGEST_VALUE = 128;

interface HeaderFacts {
  readonly spelled: string;
  readonly isName: boolean;
  readonly isLength: boolean;
  readonly isConnection: boolean;
  /** What came last: most headers say the same in most answers, and a line that is there need not be judged and made. */
  last: { readonly value: string; readonly line: string } | undefined;
  changes: number;
}

const facts = knownNames<HeaderFacts>((name, spelled) => ({
  spelled,
  isName: NAME.test(spelled),
  isLength: name === "content-length",
  isConnection: name === "connection",
  last: undefined,
  changes: 0,
}));

interface PlainResponseEvents {
  close: [];
  drain: [];
  error: [Error];
}

interface PlainResponseParts {
  readonly socket: Socket;
  /** How long a client is told that the connection is kept for the next request, in seconds. */
  readonly keptS: number;
  /** Told when the answer is with the system, whole; `closes`: it said that the connection ends with it. */
  readonly onSent: (closes: boolean) => void;
}

/** The answer to a request that was read here, framed as Node would (RFC 9112, 6 and 7). The head comes first. */
export class PlainResponse extends EventEmitter<PlainResponseEvents> implements ClientResponse {
  readonly #parts: PlainResponseParts;
  #socket: Socket | undefined;
  #set: string[] = [];
  #head = "";
  #status = 0;
  #closes = false;
  #ended = false;
  #chunked = false;

  constructor(parts: PlainResponseParts) {
    super();
    this.#parts = parts;
    this.#socket = parts.socket;
  }

  get headersSent(): boolean {
    return this.#status !== 0;
  }

  get statusCode(): number {
    return this.#status;
  }

  /** Sent, or its connection is gone. */
  get destroyed(): boolean {
    return this.#socket === undefined;
  }

  get socket(): Socket | undefined {
    return this.#socket;
  }

  get chunkedEncoding(): boolean {
    return this.#chunked;
  }

  set chunkedEncoding(chunked: boolean) {
    this.#chunked = chunked;
  }

  setHeader(name: string, value: string): this {
    this.#set.push(name, value);
    return this;
  }

  writeHead(status: number, headers: string[] | Record<string, string>): this {
    const own = Array.isArray(headers) ? headers : Object.entries(headers).flat();
    this.#chunked = !BODILESS.has(status);
    this.#status = status;
    const lines = this.#lines(this.#set.length === 0 ? own : withDefaults(own, this.#set));
    const kept = this.#closes ? "" : `Connection: keep-alive\r\nKeep-Alive: timeout=${this.#parts.keptS}\r\n`;
    const chunked = this.#chunked ? "Transfer-Encoding: chunked\r\n" : "";
    this.#head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines}Date: ${date()}\r\n${kept}${chunked}\r\n`;
    return this;
  }

  writeContinue(): void {
    throw new Error("a client that waits for 100 Continue is Node's to answer");
  }

  flushHeaders(): void {
    const head = this.#takeHead();
    if (head !== "") this.#socket?.write(head, "latin1");
  }

  /** False when the client is slow: `drain` tells when it has caught up. */
  write(piece: Buffer): boolean {
    const socket = this.#socket;
    if (socket === undefined || this.#ended) return false;
    socket.cork();
    this.flushHeaders();
    if (this.#chunked) socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
    const isTaken = BODILESS.has(this.#status) || socket.write(piece);
    if (this.#chunked) socket.write("\r\n", "latin1");
    socket.uncork();
    return isTaken;
  }

  end(last: Buffer | string = "", encoding?: "latin1"): this {
    const socket = this.#socket;
    if (socket === undefined || this.#ended) return this;
    const sent = this.#whenSent();
    if (typeof last === "string" && !this.#chunked) {
      // In one piece with the head.
      socket.write(this.#takeHead() + (BODILESS.has(this.#status) ? "" : last), encoding ?? "latin1", sent);
    } else {
      socket.cork();
      this.flushHeaders();
      if (last.length > 0) this.write(typeof last === "string" ? Buffer.from(last, encoding) : last);
      socket.write(this.#chunked ? "0\r\n\r\n" : "", "latin1", sent);
      socket.uncork();
    }
    this.#ended = true;
    return this;
  }

  endWhole(body: Buffer): this {
    const socket = this.#socket;
    if (socket === undefined || this.#ended || this.#chunked) return this.end(body);
    const head = this.#takeHead();
    const length = BODILESS.has(this.#status) ? 0 : body.length;
    const piece = Buffer.allocUnsafe(head.length + length);
    piece.write(head, "latin1");
    body.copy(piece, head.length, 0, length);
    socket.write(piece);
    this.#ended = true;
    // Nearly always the system took it at once; else this is told behind it.
    if (socket.writableLength === 0 && socket.errored === null) this.#onSent();
    else socket.write("", this.#whenSent());
    return this;
  }

  destroy(): this {
    this.#socket?.destroy();
    return this;
  }

  /** The connection is gone. */
  cut(): void {
    if (this.#socket === undefined) return;
    this.#socket = undefined;
    this.emit("close");
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = "";
    return head;
  }

  /** Notes what they say of the body's end and the connection's. Throws for what would be read as something else. */
  #lines(headers: readonly string[]): string {
    let lines = "";
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at] ?? "";
      const value = headers[at + 1] ?? "";
      const fact = facts(name);
      if (fact.isLength) this.#chunked = false;
      if (fact.isConnection) this.#closes = value === "close";
      lines += lineOf(fact, value);
    }
    return lines;
  }

  #whenSent(): () => void {
    return () => this.#onSent();
  }

  #onSent(): void {
    if (this.#socket === undefined) return;
    this.cut();
    this.#parts.onSent(this.#closes);
  }
}

/** Throws for what would be read as something else. */
function lineOf(fact: HeaderFacts, value: string): string {
  const { last } = fact;
  if (last?.value === value) {
    fact.changes = 0;
    return last.line;
  }
  if (!fact.isName || NOT_OF_A_VALUE.test(value)) throw new Error("a header of an answer cannot be sent");
  const line = `${fact.spelled}: ${value}\r\n`;
  if (fact.changes < MOST_CHANGES && value.length <= LONGEST_VALUE) {
    fact.changes += 1;
    // Copied: parts keep the whole they are of, and a line of parts is put together again for each answer.
    fact.last = { value: copied(value), line: copied(line) };
  }
  return line;
}

function copied(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Of `defaults` those whose names are not among `headers`, and these. */
function withDefaults(headers: readonly string[], defaults: readonly string[]): string[] {
  const names = new Set(headers.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  const added = defaults.filter((_text, at) => !names.has((defaults[at - (at % 2)] ?? "").toLowerCase()));
  return [...added, ...headers];
}

let dateS = 0;
let shown = "";

/** RFC 9110, 6.6.1. */
function date(): string {
  const nowS = Math.floor(Date.now() / 1000);
  if (nowS !== dateS) shown = new Date(nowS * 1000).toUTCString();
  dateS = nowS;
  return shown;
}

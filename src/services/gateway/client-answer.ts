import type { Socket } from "node:net";
import type { Exchange as UpstreamCall } from "#platform/egress/exchange.ts";
import type { ClientRequest, ClientResponse } from "#platform/http/client-request.ts";
import { CLIENT_LEFT } from "#platform/lib/client-left.ts";
import { AppError } from "#platform/lib/error.ts";
import type { AtTurnsEnd, LoopTurns } from "#platform/lib/loop-turns.ts";
import { ChunkFraming } from "./chunk-framing.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { headerPairs, withOwn } from "./headers.ts";
import type { Running } from "./running.ts";

/** How an answer ended; the status is what came of it, also when another had been sent before a cut. */
export interface AnswerOutcome {
  readonly status: number;
  /** Monotonic milliseconds of the first byte sent; null when none was. */
  readonly firstByteMs: number | null;
  readonly streamed: boolean;
}

/** A larger body goes out beside its head, uncopied. */
const ONE_PIECE_BYTES = 8 * 1024;
/** As much as this does not wait for the end of the turn. */
const MOST_HELD_BYTES = 16 * 1024;
/** How long what a refused client still sends is thrown away, so that it can read why it was refused. */
const LINGER_MS = 1000;
const NOTHING = Buffer.alloc(0);
/** A refused body up to this size is read to its end and thrown away, and the connection is kept. */
const UNREAD_LIMIT_BYTES = 64 * 1024;

interface ClientAnswerParts {
  readonly requestId: string;
  readonly dialect: Dialect;
  readonly turns: LoopTurns;
  readonly onOver: (outcome: AnswerOutcome, error: AppError | undefined) => void;
}

/**
 * The one answer a gateway request gets. It is over exactly once: finished, failed, or left by the client; then the
 * upstream call it carries is closed and `onOver` is told. Registered as running from admission on, so that a
 * revocation or a lock ends it wherever it stands.
 *
 * What an upstream sent leaves at the end of the event loop's turn, with that of all other answers of the turn: a client
 * or proxy that answers of many requests go to is then woken once for all of them, which saves a tenth to a sixth of what
 * a request costs (docs/adr/0011).
 */
export class ClientAnswer implements Running, AtTurnsEnd {
  readonly #request: ClientRequest;
  readonly #response: ClientResponse;
  readonly #parts: ClientAnswerParts;
  readonly #framing = new ChunkFraming();
  #source: UpstreamCall | undefined;
  #beforeCut: () => Buffer = () => NOTHING;
  #status = 0;
  #firstByteMs: number | null = null;
  #own: readonly string[] = [];
  #streamed = false;
  #events = false;
  #over = false;
  /** The connection, once the head is on it and what follows is framed here. */
  #direct: Socket | undefined;
  /** What leaves at the end of this turn: pieces, framed where they have to be, or the whole body of a small answer. */
  #held: Buffer | undefined;
  #whole: Buffer | undefined;
  #headWaits = false;
  #isLeaving = false;

  constructor(request: ClientRequest, response: ClientResponse, parts: ClientAnswerParts) {
    this.#request = request;
    this.#response = response;
    this.#parts = parts;
    response.on("error", () => response.destroy());
    response.on("close", () => this.#settle(CLIENT_LEFT));
  }

  get over(): boolean {
    return this.#over;
  }

  /** The upstream call that feeds this answer: slowed when the client is slow, closed when the answer is over. */
  carry(source: UpstreamCall): void {
    this.#source = source;
    if (this.#over) source.abort();
  }

  /**
   * Headers the answer bears whatever comes of it, in place of an upstream's of the same names: name (in lower case),
   * value, name, value.
   */
  bear(own: readonly string[]): void {
    this.#own = own;
  }

  /** Sends the head of an answer that comes piece by piece; headers as name, value, name, value, the names in lower case. */
  start(status: number, headers: readonly string[]): void {
    this.#head(status, headers);
  }

  /** Sends the head of an answer whose bytes go on as they come; the head goes alone when none come with it. */
  startBytes(status: number, headers: readonly string[], { streamed }: { streamed: boolean }): void {
    this.#streamed = streamed;
    this.#head(status, headers);
    this.#headWaits = true;
    this.#leaveSoon();
  }

  /** Sends the head of an event stream; `beforeCut` gives what must precede an error event at any moment. */
  startEvents(status: number, headers: readonly string[], beforeCut: () => Buffer): void {
    this.#streamed = true;
    this.#events = true;
    this.#beforeCut = beforeCut;
    this.#head(status, headers);
    this.#framing.takeOver(this.#response);
  }

  write(bytes: Buffer): void {
    if (this.#over || bytes.length === 0) return;
    this.#hold(this.#framing.piece(bytes));
    if (this.#held !== undefined && this.#held.length >= MOST_HELD_BYTES) this.#leave();
    else this.#leaveSoon();
  }

  finish(last: Buffer): void {
    if (this.#over) return;
    // First: who has read his answer finds what it held of his limits given back, whichever thread he meets then.
    this.#settle(this.#status);
    this.#hold(this.#framing.last(last));
    this.#response.end(this.#takeHeld());
  }

  /** An answer of which all is there; a small one in one write. */
  sendWhole(status: number, headers: readonly string[], body: Buffer): void {
    if (this.#over) return;
    this.#head(status, headers, body.length);
    // First, as in `finish`.
    this.#settle(status);
    this.#whole = body;
    this.#leaveSoon();
  }

  onTurnsEnd(): void {
    this.#isLeaving = false;
    if (this.#response.destroyed) return;
    if (this.#whole !== undefined) this.#sendAll(this.#whole);
    else if (this.#held !== undefined) this.#leave();
    else if (this.#headWaits) this.#response.flushHeaders();
  }

  /** As a status when nothing was sent, as an event in a stream, else by cutting the connection. */
  end(error: AppError): void {
    if (this.#over) return;
    const { dialect, requestId } = this.#parts;
    const { headersSent } = this.#response;
    if (!headersSent) this.#firstByteMs = performance.now();
    this.#settle(error.status, error);
    if (!headersSent) this.#refuse(error);
    else if (this.#events) {
      const event = Buffer.concat([this.#beforeCut(), dialect.streamError(error, requestId)]);
      this.#hold(this.#framing.last(event));
      this.#response.end(this.#takeHeld());
    } else this.#response.destroy();
  }

  #hold(piece: Buffer): void {
    this.#held = this.#held === undefined ? piece : Buffer.concat([this.#held, piece]);
  }

  #takeHeld(): Buffer {
    const all = this.#held ?? NOTHING;
    this.#held = undefined;
    this.#headWaits = false;
    return all;
  }

  #leaveSoon(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#parts.turns.soon(this);
  }

  /** Sends what is held, and slows its source when the client is slow. */
  #leave(): void {
    const way = this.#direct ?? this.#response;
    const isTaken = way.write(this.#takeHeld());
    this.#direct = this.#framing.connection;
    if (isTaken) return;
    this.#source?.pause();
    way.once("drain", () => this.#source?.resume());
  }

  #sendAll(body: Buffer): void {
    const response = this.#response;
    if (body.length > ONE_PIECE_BYTES) response.end(body);
    else if (response.endWhole !== undefined) response.endWhole(body);
    // Of Node's own: as text, a character a byte, it leaves in one piece with the head, which costs less than the copy.
    else response.end(body.toString("latin1"), "latin1");
  }

  #head(status: number, headers: readonly string[], length?: number): void {
    this.#status = status;
    this.#firstByteMs = performance.now();
    const { dialect, requestId } = this.#parts;
    const all = withOwn(headers, this.#own);
    if (length !== undefined) all.push("content-length", String(length));
    for (const name of dialect.requestIdHeaders) all.push(name, requestId);
    this.#response.writeHead(status, all);
  }

  #refuse(error: AppError): void {
    // One body for every 401, however far the request had come.
    const shown = error.code === "invalid_token" ? new AppError("invalid_token") : error;
    const answer = this.#parts.dialect.error(shown, this.#parts.requestId);
    const length = {
      ...Object.fromEntries(headerPairs(this.#own)),
      "content-length": String(answer.body.length),
    };
    if (!this.#mustClose()) {
      this.#response.writeHead(answer.status, { ...answer.headers, ...length });
      this.#response.end(answer.body);
      return;
    }
    this.#response.writeHead(answer.status, { ...answer.headers, ...length, connection: "close" });
    this.#response.write(answer.body);
    this.#linger();
  }

  /** Whether more may still come of the request than is worth reading. */
  #mustClose(): boolean {
    const { complete, headers } = this.#request;
    if (complete) return false;
    const isLarge = Number(headers["content-length"] ?? 0) > UNREAD_LIMIT_BYTES;
    return isLarge || headers["transfer-encoding"] !== undefined || headers.expect !== undefined;
  }

  /** Closing at once would reset the connection, and a client that still sends would never read the answer. */
  #linger(): void {
    const close = () => {
      clearTimeout(timer);
      this.#response.end();
    };
    const timer = setTimeout(close, LINGER_MS);
    this.#request.once("end", close);
    this.#response.once("close", close);
    this.#request.resume();
  }

  #settle(status: number, error?: AppError): void {
    if (this.#over) return;
    this.#over = true;
    this.#source?.abort();
    const outcome = { status, firstByteMs: this.#firstByteMs, streamed: this.#streamed };
    this.#parts.onOver(outcome, error);
  }
}

import { holdsDone, type StreamEnding } from "./stream-ending.ts";

/** The first event of a stream that carries data and is no `ping`. */
export interface FirstEvent {
  /** True for `event: error` or data that is a JSON object with a non-null `error`. */
  readonly isError: boolean;
  /** Its data lines joined, as the standard says. */
  readonly data: string;
}

const MAX_HELD_BYTES = 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;
/** An empty line, in whichever line ends are mixed, shows as one of these pairs. */
const BOUNDARIES = ["\n\n", "\r\r", "\n\r"].map((pair) => Buffer.from(pair));
const EMPTY = Buffer.alloc(0);

/**
 * Passes a server-sent event stream on in complete events, byte for byte, however the chunks are cut, and knows
 * whether the stream finished (https://html.spec.whatwg.org/multipage/server-sent-events.html). Only the first event
 * is parsed; the rest is searched as bytes. An event over 1 MiB passes in pieces.
 */
export class EventRelay {
  readonly #ending: StreamEnding;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #lastByte = -1;
  #insideEvent = false;
  #finished = false;
  #firstEvent: FirstEvent | undefined;

  constructor(ending: StreamEnding) {
    this.#ending = ending;
  }

  /** True while part of an event was passed on and the rest is to come. */
  get insideEvent(): boolean {
    return this.#insideEvent;
  }

  /** Known as soon as the first event with data was complete. */
  get firstEvent(): FirstEvent | undefined {
    return this.#firstEvent;
  }

  /** The bytes that may go to the client now, if any. */
  push(chunk: Buffer): Buffer | undefined {
    if (chunk.length === 0) return undefined;
    const cut = this.#lastCut(chunk);
    this.#lastByte = chunk[chunk.length - 1] ?? -1;
    if (cut === 0) return this.#hold(chunk);
    const events = this.#take(cut === chunk.length ? chunk : chunk.subarray(0, cut));
    this.#inspect(events);
    this.#insideEvent = false;
    const rest = cut === chunk.length ? undefined : this.#hold(chunk.subarray(cut));
    return rest === undefined ? events : Buffer.concat([events, rest]);
  }

  /**
   * What the stream came to. An incomplete event is dropped, but for a `[DONE]` that lacks its empty line; if a part
   * of it had to be passed on already, `rest` ends its line, so that an error event can follow.
   */
  end(): { finished: boolean; rest: Buffer } {
    const tail = this.#take(EMPTY);
    if (!this.#insideEvent && holdsDone(tail, true)) return { finished: true, rest: tail };
    return {
      finished: this.#finished && !this.#insideEvent,
      rest: this.#insideEvent ? Buffer.from("\n\n") : EMPTY,
    };
  }

  /** How many bytes of the chunk belong to events that are complete by its end. */
  #lastCut(chunk: Buffer): number {
    // As most chunks end; nothing behind it needs to be looked for.
    const length = chunk.length;
    if (chunk[length - 1] === LF && chunk[length - 2] === LF) return length;
    let pair = -1;
    for (const boundary of BOUNDARIES) pair = Math.max(pair, chunk.lastIndexOf(boundary));
    let cut = pair === -1 ? 0 : pair + 2;
    if (cut === 0 && this.#startsWithBoundary(chunk)) cut = 1;
    // CR LF is one line end: its LF belongs to what went before.
    if (cut > 0 && chunk[cut - 1] === CR && chunk[cut] === LF) cut += 1;
    return cut;
  }

  #startsWithBoundary(chunk: Buffer): boolean {
    const first = chunk[0];
    // After a cut behind CR, the LF of the same line end.
    if (this.#heldBytes === 0 && !this.#insideEvent) return this.#lastByte === CR && first === LF;
    if (this.#lastByte === LF) return first === LF || first === CR;
    return this.#lastByte === CR && first === CR;
  }

  #hold(rest: Buffer): Buffer | undefined {
    if (rest.length === 0) return undefined;
    this.#held.push(rest);
    this.#heldBytes += rest.length;
    if (this.#heldBytes <= MAX_HELD_BYTES) return undefined;
    const piece = this.#take(EMPTY);
    this.#inspect(piece);
    this.#firstEvent ??= { isError: false, data: "" };
    this.#insideEvent = true;
    return piece;
  }

  #take(last: Buffer): Buffer {
    if (this.#heldBytes === 0) return last;
    const taken = Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    return taken;
  }

  #inspect(events: Buffer): void {
    this.#firstEvent ??= readFirstEvent(events);
    this.#finished ||= this.#ending.isIn(events, !this.#insideEvent);
  }
}

function readFirstEvent(events: Buffer): FirstEvent | undefined {
  let name = "";
  let lines: string[] = [];
  for (const line of events
    .toString()
    .replace(/^\ufeff/, "")
    .split(/\r\n|\r|\n/)) {
    if (line === "") {
      // Anthropic's pings keep a line open while nothing is known yet; they say no more than a comment.
      if (lines.length > 0 && name !== "ping") break;
      name = "";
      lines = [];
    }
    name = /^event: ?(.*)$/.exec(line)?.[1] ?? name;
    if (line.startsWith("data:")) lines = [...lines, line.slice(line[5] === " " ? 6 : 5)];
  }
  if (lines.length === 0 || name === "ping") return undefined;
  const data = lines.join("\n");
  return { isError: name === "error" || bearsError(data), data };
}

function bearsError(data: string): boolean {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && "error" in value && value.error != null;
  } catch {
    return false;
  }
}

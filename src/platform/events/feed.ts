import type { ServerEvent } from "./event.ts";
import type { EventBus } from "./event-bus.ts";

/** Where a listener's events go. */
export interface Outlet {
  /** Takes the text in any case; gives false when it wants no more before `Feed.drained` is called. */
  write(text: string): boolean;
  /** Takes the last text. */
  end(text: string): void;
}

/** Who reads a feed, asked anew for each event. */
export interface Reader {
  /** Whether he may still read events at all; where not, the feed ends. */
  mayRead(): boolean;
  /** Whether this event is for him. */
  sees(event: ServerEvent): boolean;
}

const RETRY_MS = 2000;

/**
 * One listener's events in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html. It keeps his
 * place among the events of the bus and nothing else: one who reads so slowly that what comes next is not kept any more
 * is sent away, and finds out when he comes back.
 */
export class Feed {
  readonly #bus: EventBus;
  readonly #outlet: Outlet;
  readonly #reader: Reader;
  readonly #onEnd: () => void;
  readonly #unsubscribe: () => void;
  #after: number;
  #hasRoom: boolean;
  #ended = false;

  /** Begins at once: after the event of the id `from`, where that is given, else with what happens from now on. */
  constructor(
    bus: EventBus,
    parts: {
      readonly outlet: Outlet;
      readonly reader: Reader;
      readonly from: string | undefined;
      /** Called once, by whichever way it ended. */
      readonly onEnd: () => void;
    },
  ) {
    this.#bus = bus;
    this.#outlet = parts.outlet;
    this.#reader = parts.reader;
    this.#onEnd = parts.onEnd;
    const place = parts.from === undefined ? { after: bus.last } : bus.placeOf(parts.from);
    this.#after = "after" in place ? place.after : bus.last;
    const reset = "gone" in place ? `event: reset\ndata: ${JSON.stringify({ reason: place.gone })}\n` : "";
    this.#hasRoom = parts.outlet.write(`retry: ${RETRY_MS}\n${reset}${this.#idLine()}\n`);
    this.#unsubscribe = bus.onEvent(() => this.#pump());
    this.#pump();
  }

  /** The outlet has room again. */
  drained(): void {
    this.#hasRoom = true;
    this.#pump();
  }

  /** Ends it where its reader may read no more. */
  check(): void {
    if (!this.#ended && !this.#reader.mayRead()) this.end("no longer permitted");
  }

  /** Shows that the connection lives, and to where the reader has read, whoever the last events were for. */
  beat(): void {
    this.check();
    if (!this.#ended && this.#hasRoom) this.#hasRoom = this.#outlet.write(`: heartbeat\n${this.#idLine()}\n`);
  }

  /** Gives out what is left, whether there is room or not, and ends. */
  finish(words: string): void {
    this.#hasRoom = true;
    this.#pump({ always: true });
    this.end(words);
  }

  /** Ends it with a comment of these words; more than once does no harm. */
  end(words: string): void {
    if (!this.left()) return;
    this.#outlet.end(`: ${words}\n\n`);
  }

  /** The reader is gone: nothing more is written. Gives false when it had ended before. */
  left(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#unsubscribe();
    this.#onEnd();
    return true;
  }

  #pump({ always = false } = {}): void {
    while (!this.#ended && (this.#hasRoom || always)) {
      const event = this.#bus.next(this.#after);
      if (event === undefined) return;
      if (event === "lost") return this.end("too slow");
      this.check();
      if (this.#ended) return;
      this.#after = event.number;
      if (this.#reader.sees(event)) this.#hasRoom = this.#outlet.write(textOf(event));
    }
    // Without room he still is to be sent away once what he waits for is gone: nothing may wait for him for ever.
    if (!this.#ended && this.#bus.next(this.#after) === "lost") this.end("too slow");
  }

  #idLine(): string {
    return `id: ${this.#bus.idOf(this.#after)}\n`;
  }
}

/** JSON has no line end in it, so that one line of data is enough. */
function textOf({ id, type, time, data }: ServerEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ time, ...data })}\n\n`;
}

import type { ServerResponse } from "node:http";
import { type EventBus, KEPT_MS } from "#platform/events/event-bus.ts";
import { Feed, type Outlet } from "#platform/events/feed.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Caller, callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { maySee, type TypeFilter } from "./sse-filter.ts";

const MOST_STREAMS = 1000;
const MOST_OF_ONE = 32;
const RETRY_AFTER_S = 5;
const BEAT_EVERY_MS = 15_000;
/** A right that ends is seen within this time, or at the next event. */
const LOOK_EVERY_MS = 500;
/** One who reads nothing does not read the last words either. */
const CUT_AFTER_MS = 1000;

export const EVENT_ACTION = "events.read";

/** Who asks for events, and for which. */
interface Asked {
  readonly caller: Caller;
  readonly wants: TypeFilter;
  /** The id of the last event that he has read. */
  readonly from: string | undefined;
}

interface Stream {
  readonly principal: string;
  feed: Feed | undefined;
  nextBeatMs: number;
}

interface Parts {
  readonly bus: EventBus;
  readonly gates: Pick<Gates, "lock" | "authenticator" | "authorizer">;
  readonly clock: Clock;
  /** Somebody listens, or did a moment ago and may come back; or nobody does. */
  readonly onWatched: (watched: boolean) => void;
}

/** The connections of `/sse`: how many there may be, and when they end. */
export class EventStreams {
  readonly #parts: Parts;
  readonly #streams = new Set<Stream>();
  #looking: NodeJS.Timeout | undefined;
  #emptySinceMs = 0;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Refuses one too many, or one that comes too late: AppError `rate_limited`, `server_locked`, `shutting_down`. */
  admit(caller: Caller): void {
    if (this.#closed) throw new AppError("shutting_down");
    if (this.#parts.gates.lock.isLocked()) throw new AppError("server_locked");
    const principal = callerId(caller);
    let own = 0;
    for (const stream of this.#streams) if (stream.principal === principal) own += 1;
    if (own < MOST_OF_ONE && this.#streams.size < MOST_STREAMS) return;
    const whose = own < MOST_OF_ONE ? "server" : "principal";
    throw new AppError("rate_limited", `This ${whose} has as many event streams as it may have.`, {
      retryAfterS: RETRY_AFTER_S,
    });
  }

  /** Sends events from now on, to someone admitted in this turn; the head of the answer is sent. */
  open(response: ServerResponse, { caller, wants, from }: Asked): void {
    this.#watch();
    const { bus, gates, clock } = this.#parts;
    const { authenticator, authorizer } = gates;
    const stream: Stream = {
      principal: callerId(caller),
      feed: undefined,
      nextBeatMs: clock.now() + BEAT_EVERY_MS,
    };
    this.#streams.add(stream);
    const feed = new Feed(bus, {
      outlet: outletOf(response),
      reader: {
        mayRead: () => authenticator.holds(caller) && authorizer.allows(caller, EVENT_ACTION),
        sees: (event) => wants(event.type) && maySee(authorizer, caller, event),
      },
      from,
      onEnd: () => {
        this.#streams.delete(stream);
        this.#emptySinceMs = clock.now();
      },
    });
    stream.feed = feed;
    response.on("drain", () => feed.drained());
    response.on("close", () => feed.left());
  }

  /** Ends those of a principal whose key was revoked. */
  endOf(principal: string): void {
    for (const stream of [...this.#streams])
      if (stream.principal === principal) stream.feed?.end("no longer permitted");
  }

  /** Gives out what was published and ends all; the next may come when the gates let him. */
  endAll(words: string): void {
    for (const { feed } of [...this.#streams]) feed?.finish(words);
  }

  /** Ends all, for good. */
  close(): void {
    this.#closed = true;
    this.endAll("the server stops");
    this.#unwatch();
  }

  #watch(): void {
    if (this.#looking !== undefined) return;
    // While nobody listened, not everything was published.
    this.#parts.bus.forget();
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    this.#parts.onWatched(true);
  }

  #unwatch(): void {
    if (this.#looking === undefined) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#parts.onWatched(false);
  }

  #look(): void {
    const now = this.#parts.clock.now();
    for (const stream of [...this.#streams]) {
      if (now < stream.nextBeatMs) {
        stream.feed?.check();
      } else {
        stream.nextBeatMs = now + BEAT_EVERY_MS;
        stream.feed?.beat();
      }
    }
    // As long as an event is kept, one who lost his connection may come back and miss nothing.
    if (this.#streams.size === 0 && now - this.#emptySinceMs > KEPT_MS) this.#unwatch();
  }
}

function outletOf(response: ServerResponse): Outlet {
  return {
    write: (text) => response.write(text),
    end: (text) => {
      response.end(text);
      const cut = setTimeout(() => response.destroy(), CUT_AFTER_MS).unref();
      response.once("close", () => clearTimeout(cut));
    },
  };
}

import { type Clock, toTimestamp } from "../lib/clock.ts";
import type { EventDetails, EventSink, EventType, ServerEvent } from "./event.ts";

/** How long an event is kept for those who come back. */
export const KEPT_MS = 5 * 60 * 1000;
/** No more are kept, however young. */
const KEPT_EVENTS = 1000;
const EPOCH_DIGITS = 9;
const NUMBER_DIGITS = 8;
const ID = new RegExp(`^([0-9a-z]{${EPOCH_DIGITS}})-([0-9a-z]{${NUMBER_DIGITS}})$`);

/** An event with its number: 1, 2, 3 … since the start. */
interface NumberedEvent extends ServerEvent {
  readonly number: number;
}

/** Where a listener who names an id goes on: after the event of that number, or why he cannot. */
type Place = { readonly after: number } | { readonly gone: "unknown_id" | "too_old" };

/**
 * The events of one run of the server. Each has an id of two base36 numbers, zeros before them: `0mi9x2k1a-0000001f`
 * is the 51st event since the start at `epoch`. The last events are kept: a listener reads them at his own pace, so that
 * none of them takes memory of his own however slow he is.
 */
export class EventBus implements EventSink {
  readonly #clock: Clock;
  readonly #epoch: string;
  readonly #onPublish: (type: EventType) => void;
  readonly #listeners = new Set<() => void>();
  #kept: { readonly event: NumberedEvent; readonly atMs: number }[] = [];
  #last = 0;
  /** The number before the first that is kept. */
  #before = 0;

  /** `epoch` is a number greater than that of every run before, milliseconds since the Unix epoch or more. */
  constructor(parts: {
    readonly clock: Clock;
    readonly epoch: number;
    readonly onPublish?: (type: EventType) => void;
  }) {
    this.#clock = parts.clock;
    this.#epoch = parts.epoch.toString(36).padStart(EPOCH_DIGITS, "0");
    this.#onPublish = parts.onPublish ?? (() => {});
  }

  publish(type: EventType, data: EventDetails): ServerEvent {
    const atMs = this.#clock.now();
    const number = ++this.#last;
    const event = { number, id: this.idOf(number), type, time: toTimestamp(atMs), data };
    this.#kept.push({ event, atMs });
    this.#trim();
    this.#onPublish(type);
    for (const listener of [...this.#listeners]) listener();
    return event;
  }

  /** Calls `listener` after every event from now on. It must not throw. Gives the way to stop it. */
  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The number of the last event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The id of the event of this number, whether it is kept or not. */
  idOf(number: number): string {
    return `${this.#epoch}-${number.toString(36).padStart(NUMBER_DIGITS, "0")}`;
  }

  /** The place after the event of this id, of which every later one is still kept. */
  placeOf(id: string): Place {
    this.#trim();
    const [, epoch, digits = ""] = ID.exec(id) ?? [];
    const after = Number.parseInt(digits, 36);
    if (epoch !== this.#epoch || after > this.#last) return { gone: "unknown_id" };
    return after < this.#before ? { gone: "too_old" } : { after };
  }

  /** The event after that of this number; undefined when there is none yet, `lost` when it is not kept any more. */
  next(after: number): NumberedEvent | "lost" | undefined {
    this.#trim();
    return after < this.#before ? "lost" : this.#kept[after - this.#before]?.event;
  }

  /** Nobody can go on from any id given out so far: between then and now not everything was published. */
  forget(): void {
    this.#kept = [];
    this.#before = ++this.#last;
  }

  #trim(): void {
    const oldest = this.#clock.now() - KEPT_MS;
    const young = this.#kept.findIndex(({ atMs }) => atMs >= oldest);
    const aged = young === -1 ? this.#kept.length : young;
    const gone = Math.max(aged, this.#kept.length - KEPT_EVENTS);
    if (gone === 0) return;
    this.#kept.splice(0, gone);
    this.#before += gone;
  }
}

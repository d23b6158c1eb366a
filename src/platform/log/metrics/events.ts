import { Counter, type Registry } from "prom-client";
import type { EventType } from "../../events/event.ts";
import { gaugeOf } from "./instruments.ts";

/** What was published to those who listen to events, and how many they are. */
export class EventMetrics {
  readonly #published: Counter<"type">;
  #countSubscribers: () => number = () => 0;

  constructor(registry: Registry) {
    this.#published = new Counter({
      name: "claviger_events_published_total",
      help: "Events published, by type.",
      labelNames: ["type"],
      registers: [registry],
    });
    gaugeOf(registry, "claviger_event_subscribers", "Connections that read events now.", () =>
      this.#countSubscribers(),
    );
  }

  /** From where the number of listeners is read. */
  countingSubscribers(count: () => number): void {
    this.#countSubscribers = count;
  }

  published(type: EventType): void {
    this.#published.inc({ type });
  }
}

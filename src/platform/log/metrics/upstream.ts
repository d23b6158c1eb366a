import type { Registry } from "prom-client";
import type { CollectedAnswer, EgressClient, EgressRequest } from "../../egress/egress-client.ts";
import type { Exchange, UpstreamHandler } from "../../egress/exchange.ts";
import type { Clock } from "../../lib/clock.ts";
import { CounterFamily, type CounterSeries } from "./counting.ts";
import { gaugeBy, gaugeOf } from "./instruments.ts";
import { LabelNames } from "./labels.ts";
import { resultOfError, resultOfStatus, type UpstreamResult, WatchedCall, WORKS } from "./upstream-call.ts";

/** A provider, and the URL below which everything goes to it. */
export interface UpstreamOwner {
  readonly name: string;
  readonly baseUrl: URL;
}

/** How a provider fared in the requests of a while, seen by one thread. */
export interface HealthNote {
  readonly provider: string;
  readonly up: boolean;
  /** Since the last good one; all of them, when there was none. */
  readonly consecutiveFailures: number;
  readonly hadGoodOne: boolean;
  /** Seconds since the Unix epoch. */
  readonly lastResult: number;
}

type Health = { -readonly [Part in keyof HealthNote]: HealthNote[Part] };

const MAX_PROVIDERS = 64;

/** How the upstreams fare, seen where requests leave: every call counts once, model lists too. */
export class UpstreamMetrics {
  readonly #clock: Clock;
  readonly #results: CounterFamily;
  readonly #names = new LabelNames(MAX_PROVIDERS);
  /** By label and result, so that a request puts no labels together. */
  readonly #bound = new Map<string, Map<UpstreamResult, CounterSeries>>();
  readonly #health = new Map<string, Health>();
  #owners: () => readonly UpstreamOwner[] = () => [];
  #streams = 0;

  /** `showsHealth`: whether this thread is the one that tells how each upstream fares. */
  constructor(registry: Registry, clock: Clock, { showsHealth }: { showsHealth: boolean }) {
    this.#clock = clock;
    this.#results = new CounterFamily(registry, {
      name: "claviger_upstream_results_total",
      help: "Requests to upstreams, model lists included, by provider and what came of them.",
      labelNames: ["provider", "result"],
    });
    if (showsHealth) this.#showHealth(registry);
    gaugeOf(
      registry,
      "claviger_gateway_streams_running",
      "Event streams that upstreams are sending now.",
      () => this.#streams,
    );
  }

  /** The same client, watched. A call counts for every provider whose base URL it lies below. */
  watch<Client extends EgressClient>(client: Client, owners: () => readonly UpstreamOwner[]): Client {
    this.#owners = owners;
    const told = {
      onStream: (change: 1 | -1) => {
        this.#streams += change;
      },
      onResult: (url: URL, result: UpstreamResult | undefined) => this.#note(url, result),
    };
    return {
      ...client,
      request: (wanted: EgressRequest, handler: UpstreamHandler): Exchange => {
        const watched = new WatchedCall(handler, wanted, told);
        return watched.carry(client.request(wanted, watched));
      },
      collect: async (wanted: EgressRequest, limitBytes: number): Promise<CollectedAnswer> => {
        try {
          const answer = await client.collect(wanted, limitBytes);
          this.#note(wanted.url, resultOfStatus(answer.status));
          return answer;
        } catch (error) {
          if (wanted.signal?.aborted !== true) this.#note(wanted.url, resultOfError(error));
          throw error;
        }
      },
    };
  }

  /** What was noted since it was last taken, for the thread that shows it. */
  takeHealth(): HealthNote[] {
    const notes = [...this.#health.values()];
    this.#health.clear();
    return notes;
  }

  /** What another thread noted. */
  absorbHealth(notes: readonly HealthNote[]): void {
    for (const note of notes) this.#merge(note);
  }

  #showHealth(registry: Registry): void {
    const gauge = (name: string, help: string, read: (health: HealthNote) => number) =>
      gaugeBy(registry, { name, help, label: "provider" }, () =>
        this.#present().map(([provider, health]) => [provider, read(health)]),
      );
    gauge("claviger_upstream_up", "1 when the last request to the upstream came to an answer.", ({ up }) =>
      up ? 1 : 0,
    );
    gauge(
      "claviger_upstream_consecutive_failures",
      "Requests to the upstream that failed since the last good one.",
      ({ consecutiveFailures }) => consecutiveFailures,
    );
    gauge(
      "claviger_upstream_last_result_timestamp_seconds",
      "When the last request to the upstream was over.",
      ({ lastResult }) => lastResult,
    );
  }

  #note(url: URL, result: UpstreamResult | undefined): void {
    if (result === undefined) return;
    for (const { name, baseUrl } of this.#owners()) {
      if (!isBelow(url, baseUrl)) continue;
      const label = this.#names.admit(name);
      const up = WORKS.has(result);
      this.#merge({
        provider: label,
        up,
        consecutiveFailures: up ? 0 : 1,
        hadGoodOne: up,
        lastResult: this.#clock.now() / 1000,
      });
      this.#count(label, result);
    }
  }

  #merge(note: HealthNote): void {
    const known = this.#health.get(note.provider);
    if (known === undefined) return void this.#health.set(note.provider, { ...note });
    const failedBefore = note.hadGoodOne ? 0 : known.consecutiveFailures;
    known.up = note.up;
    known.consecutiveFailures = failedBefore + note.consecutiveFailures;
    known.hadGoodOne ||= note.hadGoodOne;
    known.lastResult = note.lastResult;
  }

  #count(label: string, result: UpstreamResult): void {
    const known = this.#bound.get(label)?.get(result);
    if (known !== undefined) return known.inc(1);
    const counter = this.#results.labels(label, result);
    const bound = this.#bound.get(label) ?? new Map<UpstreamResult, CounterSeries>();
    this.#bound.set(label, bound.set(result, counter));
    counter.inc(1);
  }

  /** A provider that was removed is neither up nor down any more. */
  #present(): [string, HealthNote][] {
    const present = new Set(this.#owners().map(({ name }) => this.#names.admit(name)));
    for (const name of this.#health.keys()) if (!present.has(name)) this.#health.delete(name);
    return [...this.#health];
  }
}

/** Of each base URL, so that a request takes no URL apart. */
const PREFIXES = new WeakMap<URL, string>();

function isBelow(url: URL, base: URL): boolean {
  const prefix = PREFIXES.get(base) ?? prefixOf(base);
  if (!url.href.startsWith(prefix)) return false;
  // At the end of the text there is no character, and that fits too.
  return prefix.endsWith("/") || "/?#".includes(url.href.charAt(prefix.length));
}

function prefixOf(base: URL): string {
  const prefix = base.href.replace(/[?#].*$/, "");
  PREFIXES.set(base, prefix);
  return prefix;
}

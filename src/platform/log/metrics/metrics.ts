import {
  AggregatorRegistry,
  Counter,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../log.ts";
import { ClusterMetrics } from "./cluster.ts";
import { type DiskFacts, diskGauges } from "./disk.ts";
import { EventMetrics } from "./events.ts";
import { GatewayMetrics } from "./gateway.ts";
import { HttpMetrics } from "./http.ts";
import { gaugeBy, gaugeOf } from "./instruments.ts";
import { processMetrics } from "./process.ts";
import { UpstreamMetrics } from "./upstream.ts";

/** What a listener lets in, as far as a gauge shows it. */
export interface OpenedListener {
  readonly name: string;
  readonly anonymous: boolean;
  /** Whether its configuration turns authentication off. */
  readonly authOff: boolean;
  /** When the first of its certificates ends, in milliseconds since the epoch; undefined without TLS. */
  readonly certificateExpiresMs: number | undefined;
}

/** What each thread that serves requests counts by itself. */
export interface ThreadMetrics {
  readonly http: HttpMetrics;
  readonly gateway: GatewayMetrics;
  readonly upstreams: UpstreamMetrics;
  /** The log to hand to a queue of rows: the number `rows` of its warnings and errors is counted, then logged. */
  countingRows(log: Log, queue: "request" | "audit"): Log;
  /** Counts a row of the request log that was not even queued. */
  requestRowLost(): void;
  /** All that was counted, to be added to what the other threads did. */
  counts(): Promise<ThreadCounts>;
}

/** What `counts` of one thread gives: plain data. */
export type ThreadCounts = MetricObjectWithValues<MetricValue<string>>[];

/** What this server tells Prometheus. Nothing of it is global: two servers in one process count apart. */
export interface Metrics extends ThreadMetrics {
  readonly events: EventMetrics;
  readonly cluster: ClusterMetrics;
  /** These listeners are open now: who may come without a credential is shown, and when certificates end. */
  listening(listeners: readonly OpenedListener[]): void;
  /** A thread that serves requests ended by itself, and another takes its place. */
  workerRestarted(): void;
  /** Everything in the text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  text(): Promise<string>;
  /** The media type of `text`. */
  readonly contentType: string;
  /** Stops measuring the event loop. */
  close(): void;
}

/** The main thread's: its own counts, those of the other threads, and what is of the process. */
export function openMetrics(parts: {
  readonly version: string;
  readonly clock: Clock;
  readonly sealStatus: () => { readonly initialized: boolean; readonly unlocked: boolean };
  readonly disk?: () => DiskFacts;
  /** What the other threads counted. */
  readonly others?: () => Promise<readonly ThreadCounts[]>;
}): Metrics {
  const registry = new Registry();
  const measuring = processMetrics(registry, parts);
  sealGauges(registry, parts.sealStatus);
  if (parts.disk !== undefined) diskGauges(registry, parts.disk);
  const restarts = new Counter({
    name: "claviger_worker_restarts_total",
    help: "Threads that served requests, ended by themselves, and were started anew.",
    registers: [registry],
  });
  const own = countsOf(registry, { thread: 0, clock: parts.clock });
  return {
    ...own,
    events: new EventMetrics(registry),
    cluster: new ClusterMetrics(registry),
    listening: listenerGauges(registry),
    workerRestarted: () => restarts.inc(1),
    text: async () => {
      const others = (await parts.others?.()) ?? [];
      if (others.length === 0) return registry.metrics();
      const all = [await own.counts(), ...others.map((counts) => bounded(counts, own.gateway))];
      return AggregatorRegistry.aggregate(all).metrics();
    },
    contentType: registry.contentType,
    close: () => measuring.close(),
  };
}

function bounded(counts: ThreadCounts, gateway: GatewayMetrics): ThreadCounts {
  return counts.map((metric) => ({
    ...metric,
    values: metric.values.map((value) => ({ ...value, labels: gateway.boundLabels(value.labels) })),
  }));
}

/** The metrics of a further thread: `thread` is its number, from 1. */
export function openThreadMetrics(parts: { readonly thread: number; readonly clock: Clock }): ThreadMetrics {
  return countsOf(new Registry(), parts);
}

function countsOf(
  registry: Registry,
  { thread, clock }: { readonly thread: number; readonly clock: Clock },
): ThreadMetrics {
  const lost = lostRows(registry);
  return {
    http: new HttpMetrics(registry, thread),
    gateway: new GatewayMetrics(registry),
    upstreams: new UpstreamMetrics(registry, clock, { showsHealth: thread === 0 }),
    countingRows: (log, queue) => countRows(log, lost[queue]),
    requestRowLost: () => lost.request(1),
    counts: () => registry.getMetricsAsJSON(),
  };
}

function sealGauges(
  registry: Registry,
  status: () => { readonly initialized: boolean; readonly unlocked: boolean },
): void {
  gaugeOf(registry, "claviger_locked", "1 while the server is locked.", () => (status().unlocked ? 0 : 1));
  gaugeOf(registry, "claviger_encryption_initialized", "1 once a passphrase was set.", () =>
    status().initialized ? 1 : 0,
  );
}

function listenerGauges(registry: Registry): (listeners: readonly OpenedListener[]) => void {
  let opened: readonly OpenedListener[] = [];
  gaugeOf(
    registry,
    "claviger_auth_off_listeners",
    "Listeners whose configuration turns authentication off.",
    () => opened.filter(({ authOff }) => authOff).length,
  );
  gaugeOf(
    registry,
    "claviger_anonymous_listeners",
    "Listeners on which local programs may use the gateway without a key.",
    () => opened.filter(({ anonymous }) => anonymous).length,
  );
  gaugeBy(
    registry,
    {
      name: "claviger_certificate_expiry_timestamp_seconds",
      help: "When the first of a listener's certificates ends, in seconds since the epoch.",
      label: "listener",
    },
    () =>
      opened.flatMap(({ name, certificateExpiresMs: ms }) =>
        ms === undefined ? [] : [[name, ms / 1000] as const],
      ),
  );
  return (listeners) => {
    opened = listeners;
  };
}

function lostRows(registry: Registry): Record<"request" | "audit", (rows: number) => void> {
  const counter = (name: string, help: string) => {
    const made = new Counter({ name, help, registers: [registry] });
    return (rows: number) => made.inc(rows);
  };
  return {
    request: counter("claviger_request_rows_lost_total", "Rows of the request log that were not written."),
    audit: counter(
      "claviger_audit_rows_summed_total",
      "Refusals that were added up in the audit, too many to be written one by one.",
    ),
  };
}

/** A queue says what it could not keep where the operator reads it; the same words are counted here. */
function countRows(log: Log, count: (rows: number) => void): Log {
  return new Proxy(log, {
    get(target, property) {
      if (property !== "warn" && property !== "error") return Reflect.get(target, property);
      return (fields: { readonly rows?: number }, words: string) => {
        if (fields.rows !== undefined) count(fields.rows);
        target[property](fields, words);
      };
    },
  });
}

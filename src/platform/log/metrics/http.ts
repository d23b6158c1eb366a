import type { Registry } from "prom-client";
import { ERRORS, type ErrorCode } from "../../lib/error.ts";
import { CounterFamily, type CounterSeries, LatencyFamily, type LatencySeries } from "./counting.ts";
import { gaugeOf } from "./instruments.ts";
import { type StatusClass, statusClass } from "./labels.ts";

/** The template of a route and its declared method: our own words, never the client's. */
interface RouteName {
  readonly method: string;
  readonly path: string;
}

/** What is counted of a request that is over. */
export interface EndedRequest {
  /** Undefined for a path nobody declared. */
  readonly route: RouteName | undefined;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly errorCode: ErrorCode | undefined;
}

interface RouteSeries {
  readonly requests: Map<StatusClass, CounterSeries>;
  readonly duration: LatencySeries;
}

const UNKNOWN: RouteName = { method: "other", path: "unknown" };

/** Every HTTP request: by route and status class, its duration, its error's code, and how many run now. */
export class HttpMetrics {
  readonly #requests: CounterFamily;
  readonly #durations: LatencyFamily;
  readonly #errors: ReadonlyMap<string, CounterSeries>;
  /** By the route's own object, so that a request costs no text. */
  readonly #series = new WeakMap<RouteName, RouteSeries>();
  readonly #byThread: CounterSeries;
  readonly #handshakes: CounterSeries;
  #running = 0;

  /** `thread` is the number of the one that counts, 0 the main. */
  constructor(registry: Registry, thread: number) {
    this.#byThread = new CounterFamily(registry, {
      name: "claviger_thread_requests_total",
      help: "Requests that came in, by the thread that took them; 0 is the main thread, which all of /api comes to.",
      labelNames: ["thread"],
    }).labels(String(thread));
    this.#handshakes = new CounterFamily(registry, {
      name: "claviger_tls_handshake_errors_total",
      help: "Connections that ended before TLS was agreed on.",
      labelNames: [],
    }).labels();
    this.#handshakes.inc(0);
    this.#requests = new CounterFamily(registry, {
      name: "claviger_http_requests_total",
      help: "Requests that are over, by route template, method and status class.",
      labelNames: ["route", "method", "status"],
    });
    this.#durations = new LatencyFamily(registry, {
      name: "claviger_http_request_duration_seconds",
      help: "From a request's arrival to the end of its answer.",
      labelNames: ["route", "method"],
    });
    const errors = new CounterFamily(registry, {
      name: "claviger_errors_total",
      help: "Requests this server refused, by the code of the error.",
      labelNames: ["code"],
    });
    this.#errors = new Map(Object.keys(ERRORS).map((code) => [code, errors.labels(code)]));
    // From the start at zero: an alert on an increase must not miss the first one.
    for (const counter of this.#errors.values()) counter.inc(0);
    gaugeOf(
      registry,
      "claviger_http_requests_running",
      "Requests not yet answered whole.",
      () => this.#running,
    );
  }

  began(): void {
    this.#byThread.inc(1);
    this.#running += 1;
  }

  /** A request that had begun is over; `status` is 499 when its client left before an answer. */
  ended(request: EndedRequest, status: number): void {
    this.#running -= 1;
    const series = this.#seriesOf(request.route ?? UNKNOWN);
    series.duration.observe(Math.max(0, performance.now() - request.startedMs) / 1000);
    this.#count(request.route ?? UNKNOWN, series, status);
    if (request.errorCode !== undefined) this.#errors.get(request.errorCode)?.inc(1);
  }

  /** What the parser refused before it was a request. */
  broken(code: ErrorCode): void {
    this.#count(UNKNOWN, this.#seriesOf(UNKNOWN), ERRORS[code].status);
    this.#errors.get(code)?.inc(1);
  }

  /** A connection to a TLS listener that never became one. */
  handshakeFailed(): void {
    this.#handshakes.inc(1);
  }

  #count(route: RouteName, series: RouteSeries, status: number): void {
    const kind = statusClass(status);
    const known = series.requests.get(kind);
    if (known !== undefined) return known.inc(1);
    const bound = this.#requests.labels(route.path, route.method, kind);
    series.requests.set(kind, bound);
    bound.inc(1);
  }

  #seriesOf(route: RouteName): RouteSeries {
    const known = this.#series.get(route);
    if (known !== undefined) return known;
    const made = { requests: new Map(), duration: this.#durations.labels(route.path, route.method) };
    this.#series.set(route, made);
    return made;
  }
}

import { Counter, Histogram, type Registry } from "prom-client";
import { LATENCY_BUCKETS_S } from "./instruments.ts";

/** What a metric is called, and by which labels its series differ. */
interface MetricName {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/**
 * A counter that costs an addition when something happens: the registry's own is given the sums when somebody asks. A
 * series shows from its first addition on, be it of 0.
 */
export class CounterFamily {
  readonly #series: SeriesByLabels<CounterSeries>;

  constructor(registry: Registry, metric: MetricName) {
    const shown: CounterSeries[] = [];
    this.#series = new SeriesByLabels(metric.labelNames, (labels) => new CounterSeries(labels, shown));
    new Counter<string>({
      ...metric,
      registers: [registry],
      collect() {
        this.reset();
        for (const series of shown) this.inc(series.labels, series.sum);
      },
    });
  }

  /** The series with these values of the labels, in their order. */
  labels(...values: readonly string[]): CounterSeries {
    return this.#series.of(values);
  }
}

export class CounterSeries {
  readonly labels: Labels;
  readonly #shown: CounterSeries[];
  #isShown = false;
  sum = 0;

  constructor(labels: Labels, shown: CounterSeries[]) {
    this.labels = labels;
    this.#shown = shown;
  }

  inc(amount: number): void {
    this.sum += amount;
    if (this.#isShown) return;
    this.#isShown = true;
    this.#shown.push(this);
  }
}

/** Latencies in seconds, counted likewise. A series shows from its first observation on. */
export class LatencyFamily {
  readonly #series: SeriesByLabels<LatencySeries>;

  constructor(registry: Registry, metric: MetricName) {
    const shown: LatencySeries[] = [];
    this.#series = new SeriesByLabels(metric.labelNames, (labels) => new LatencySeries(labels, shown));
    const registered = new Histogram<string>({
      ...metric,
      buckets: LATENCY_BUCKETS_S,
      registers: [registry],
    });
    const read = async () => ({
      name: metric.name,
      help: metric.help,
      type: "histogram",
      values: shown.flatMap((series) => series.samples(metric.name)),
      aggregator: "sum",
    });
    // The registry asks the one for its text, the other for plain data.
    Object.assign(registered, { getForPromString: read, get: read });
  }

  /** The series with these values of the labels, in their order. */
  labels(...values: readonly string[]): LatencySeries {
    return this.#series.of(values);
  }
}

export class LatencySeries {
  readonly #labels: Labels;
  readonly #shown: LatencySeries[];
  /** How many lie at or below each bound and above the one before; the last one's bound is infinity. */
  readonly #counts = new Float64Array(LATENCY_BUCKETS_S.length + 1);
  #isShown = false;
  #sum = 0;

  constructor(labels: Labels, shown: LatencySeries[]) {
    this.#labels = labels;
    this.#shown = shown;
  }

  observe(seconds: number): void {
    let bucket = 0;
    for (const bound of LATENCY_BUCKETS_S) {
      if (seconds <= bound) break;
      bucket += 1;
    }
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
    if (this.#isShown) return;
    this.#isShown = true;
    this.#shown.push(this);
  }

  /** As the registry writes them: buckets that hold those below them too, their sum, their count. */
  samples(name: string): { metricName: string; labels: Record<string, string | number>; value: number }[] {
    let count = 0;
    const buckets = Array.from(this.#counts, (within, at) => {
      count += within;
      const labels = { le: LATENCY_BUCKETS_S[at] ?? "+Inf", ...this.#labels };
      return { metricName: `${name}_bucket`, labels, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { ...this.#labels }, value: this.#sum },
      { metricName: `${name}_count`, labels: { ...this.#labels }, value: count },
    ];
  }
}

/** The series of a metric, each once. */
class SeriesByLabels<Series> {
  readonly #labelNames: readonly string[];
  readonly #make: (labels: Labels) => Series;
  readonly #byValues = new Map<string, Series>();

  constructor(labelNames: readonly string[], make: (labels: Labels) => Series) {
    this.#labelNames = labelNames;
    this.#make = make;
  }

  of(values: readonly string[]): Series {
    const key = JSON.stringify(values);
    const known = this.#byValues.get(key);
    if (known !== undefined) return known;
    const made = this.#make(Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? ""])));
    this.#byValues.set(key, made);
    return made;
  }
}

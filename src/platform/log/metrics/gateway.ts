import type { Registry } from "prom-client";
import { CounterFamily, type CounterSeries, LatencyFamily, type LatencySeries } from "./counting.ts";
import { LabelNames, OTHER, type StatusClass, statusClass } from "./labels.ts";

/** A gateway request that is over, as the request log's row tells it. */
export interface FinishedGatewayRequest {
  /** Null when it went to none. */
  readonly provider: string | null;
  /** A name of the catalogue, or `unknown`: never a client's text. */
  readonly model: string;
  readonly status: number;
  readonly latency_ms: number;
  readonly first_byte_ms: number | null;
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  /** Thousand-millionths of a US dollar. */
  readonly cost_nano_usd?: number | null;
}

interface ModelSeries {
  readonly labels: readonly [provider: string, model: string];
  readonly requests: Map<StatusClass, CounterSeries>;
  readonly inputTokens: CounterSeries;
  readonly outputTokens: CounterSeries;
  readonly cost: CounterSeries;
}

interface ProviderSeries {
  readonly label: string;
  readonly duration: LatencySeries;
  readonly firstByte: LatencySeries;
  readonly models: Map<string, ModelSeries>;
}

type Labels = Partial<Record<string, string | number>>;

const MAX_PROVIDERS = 64;
const MAX_MODELS = 256;
const NANO = 1e9;
const NO_PROVIDER = "none";
/** A row's word for a model that no list names; it takes no place among the models. */
const UNLISTED = "unknown";

/** What goes through the gateway: requests, latencies, tokens and cost by provider and model. */
export class GatewayMetrics {
  readonly #requests: CounterFamily;
  readonly #tokens: CounterFamily;
  readonly #cost: CounterFamily;
  readonly #durations: LatencyFamily;
  readonly #firstBytes: LatencyFamily;
  readonly #providerNames = new LabelNames(MAX_PROVIDERS);
  readonly #models = new LabelNames(MAX_MODELS);
  readonly #providers = new Map<string, ProviderSeries>();

  constructor(registry: Registry) {
    const counter = (name: string, help: string, labelNames: readonly string[]) =>
      new CounterFamily(registry, { name, help, labelNames });
    const histogram = (name: string, help: string) =>
      new LatencyFamily(registry, { name, help, labelNames: ["provider"] });
    this.#requests = counter(
      "claviger_gateway_requests_total",
      "Gateway requests that are over, by provider, model and status class.",
      ["provider", "model", "status"],
    );
    this.#tokens = counter(
      "claviger_gateway_tokens_total",
      "Tokens that upstreams reported, by provider, model and direction.",
      ["provider", "model", "direction"],
    );
    this.#cost = counter(
      "claviger_gateway_cost_usd_total",
      "What gateway requests cost by the price table, in US dollars.",
      ["provider", "model"],
    );
    this.#durations = histogram(
      "claviger_gateway_request_duration_seconds",
      "From a gateway request's arrival to the end of its answer.",
    );
    this.#firstBytes = histogram(
      "claviger_gateway_first_byte_seconds",
      "From a gateway request's arrival to the first byte of its answer.",
    );
  }

  finished(request: FinishedGatewayRequest): void {
    const provider = this.#providerOf(request.provider ?? NO_PROVIDER);
    provider.duration.observe(seconds(request.latency_ms));
    if (request.first_byte_ms !== null) provider.firstByte.observe(seconds(request.first_byte_ms));
    const model = this.#modelOf(provider, request.model);
    this.#countRequest(model, statusClass(request.status));
    addTo(model.inputTokens, request.input_tokens);
    addTo(model.outputTokens, request.output_tokens);
    addTo(model.cost, (request.cost_nano_usd ?? 0) / NANO);
  }

  /** The labels under which another thread's counts are shown: one bound holds for all threads together. */
  boundLabels(labels: Labels): Labels {
    const { provider, model } = labels;
    if (provider === undefined) return labels;
    const label = this.#providerLabel(String(provider));
    if (model === undefined) return { ...labels, provider: label };
    return { ...labels, provider: label, model: this.#modelLabel(label, String(model)) };
  }

  #countRequest(model: ModelSeries, kind: StatusClass): void {
    const known = model.requests.get(kind);
    if (known !== undefined) return known.inc(1);
    const bound = this.#requests.labels(...model.labels, kind);
    model.requests.set(kind, bound);
    bound.inc(1);
  }

  #providerOf(name: string): ProviderSeries {
    const known = this.#providers.get(name);
    if (known !== undefined) return known;
    const label = this.#providerLabel(name);
    const series = this.#providers.get(label) ?? {
      label,
      duration: this.#durations.labels(label),
      firstByte: this.#firstBytes.labels(label),
      models: new Map(),
    };
    this.#providers.set(label, series);
    return series;
  }

  #modelOf(provider: ProviderSeries, name: string): ModelSeries {
    const known = provider.models.get(name);
    if (known !== undefined) return known;
    const label = this.#modelLabel(provider.label, name);
    const labels = [provider.label, label] as const;
    const series = provider.models.get(label) ?? {
      labels,
      requests: new Map(),
      inputTokens: this.#tokens.labels(...labels, "input"),
      outputTokens: this.#tokens.labels(...labels, "output"),
      cost: this.#cost.labels(...labels),
    };
    provider.models.set(label, series);
    return series;
  }

  #providerLabel(name: string): string {
    return name === NO_PROVIDER || name === OTHER ? name : this.#providerNames.admit(name);
  }

  /** Two providers that name a model alike take two places. */
  #modelLabel(provider: string, name: string): string {
    const whole = `${provider}/${name}`;
    const isAdmitted = name === UNLISTED || name === OTHER || this.#models.admit(whole) === whole;
    return isAdmitted ? name : OTHER;
  }
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}

/** Adds what an upstream or a price table said: what is no positive number counts nothing, and never throws. */
function addTo(counter: CounterSeries, amount: number | null | undefined): void {
  if (amount !== null && amount !== undefined && amount > 0 && Number.isFinite(amount)) counter.inc(amount);
}

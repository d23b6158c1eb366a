import type { PriceCalculationResult, PriceOptions, Usage } from "@pydantic/genai-prices";
import type { PriceOverride } from "#platform/config/price-override.ts";
import type { TokenUsage } from "../usage/token-usage.ts";
import { matchesPattern, overrideCost } from "./price-override.ts";

/** What a price is looked up by. */
export interface PricedModel {
  /** The name the provider has here; overrides are matched against it. */
  readonly provider: string;
  readonly kind: string;
  readonly baseUrl: URL;
  /** The model's name as the upstream knows it. */
  readonly model: string;
}

export interface Prices {
  /** Loads the bundled table, once; `cost` knows it from then on. Undefined when it does already. */
  ready(): Promise<void> | undefined;
  /**
   * Whole nano-dollars (billionths of a US dollar) at the prices in force at `time` (milliseconds since the epoch);
   * null when no price is known or nothing was told, never 0 for want of a price.
   */
  cost(model: PricedModel, usage: TokenUsage | null, time: number): number | null;
  /** How many tokens the model takes in and gives out together, by the bundled table; undefined when it tells none. */
  contextWindow(model: PricedModel): number | undefined;
}

type Calculate = (usage: Usage, model: string, options: PriceOptions) => PriceCalculationResult;
type Entry = PriceOptions["provider"] | "unlisted";

/** Makers that sell their models at one price: there the name tells it, whoever serves. Their open models are not. */
const MAKERS = new Set(["openai", "anthropic", "google"]);
const KIND_PROVIDERS = new Map([
  ["openai", "openai"],
  ["anthropic", "anthropic"],
  ["gemini", "google"],
]);
const OPEN_MODEL = /gpt-oss|gemma/i;
const REMEMBERED_MODELS = 1000;
const NANO = 1_000_000_000;

/**
 * Costs from local overrides, the first that matches, and else from the bundled table. The table is part of this
 * program and is never updated from the network.
 */
export function openPrices(overrides: readonly PriceOverride[]): Prices {
  let table: PriceTable | undefined;
  let loading: Promise<void> | undefined;
  const load = async () => {
    // Half a megabyte of prices: read with the first request, not at the start.
    const { calcPrice } = await import("@pydantic/genai-prices");
    table = new PriceTable(calcPrice);
  };
  return {
    ready: () => {
      loading ??= load();
      return table === undefined ? loading : undefined;
    },
    cost: (model, usage, time) => {
      if (usage === null) return null;
      const own = overrides.find(
        (price) => matchesPattern(price.model, model.model) && matchesPattern(price.provider, model.provider),
      );
      return own === undefined ? (table?.cost(model, usage, time) ?? null) : overrideCost(own, usage);
    },
    contextWindow: (model) => table?.contextWindow(model),
  };
}

class PriceTable {
  readonly #calculate: Calculate;
  /** Of each upstream by kind and model. Its URL is put together anew each time that it is asked for as text. */
  #entries = new WeakMap<URL, Map<string, Entry>>();
  #remembered = 0;

  constructor(calculate: Calculate) {
    this.#calculate = calculate;
  }

  cost(model: PricedModel, usage: TokenUsage, time: number): number | null {
    const provider = this.#entryFor(model);
    if (provider === undefined || provider === "unlisted") return null;
    try {
      const options = { provider, timestamp: new Date(time) };
      const found = this.#calculate(tableUsage(usage), model.model, options);
      return found === null ? null : wholeNano(found.total_price);
    } catch {
      // The table throws for a combination of shares it has no price for.
      return null;
    }
  }

  contextWindow(model: PricedModel): number | undefined {
    const provider = this.#entryFor(model);
    return provider === undefined || provider === "unlisted" ? undefined : provider.models[0]?.context_window;
  }

  /** The table's provider with the one model left in it: searching them all takes four times as long. */
  #entryFor(model: PricedModel): Entry {
    const key = `${model.kind} ${model.model}`;
    const known = this.#entries.get(model.baseUrl)?.get(key);
    if (known !== undefined) return known;
    const found = this.#find(model);
    const entry =
      found === null
        ? "unlisted"
        : { ...found.provider, models: [found.model], fallback_model_providers: [] };
    this.#remember(model.baseUrl, key, entry);
    return entry;
  }

  #remember(baseUrl: URL, key: string, entry: Entry): void {
    if (this.#remembered === REMEMBERED_MODELS) {
      this.#entries = new WeakMap();
      this.#remembered = 0;
    }
    this.#remembered += 1;
    const entries = this.#entries.get(baseUrl) ?? new Map<string, Entry>();
    this.#entries.set(baseUrl, entries.set(key, entry));
  }

  #find({ kind, baseUrl, model }: PricedModel): PriceCalculationResult {
    const byUrl = this.#calculate({}, model, { providerApiUrl: baseUrl.href });
    if (byUrl !== null) return byUrl;
    const providerId = KIND_PROVIDERS.get(kind);
    if (providerId !== undefined) return this.#calculate({}, model, { providerId });
    const byName = this.#calculate({}, model, {});
    return byName !== null && MAKERS.has(byName.provider.id) && !OPEN_MODEL.test(model) ? byName : null;
  }
}

function tableUsage({ inputTokens, outputTokens, parts }: TokenUsage): Usage {
  return {
    input_tokens: inputTokens ?? 0,
    output_tokens: outputTokens ?? 0,
    ...(parts.cacheRead > 0 && { cache_read_tokens: parts.cacheRead }),
    ...(parts.cacheWrite > 0 && { cache_write_tokens: parts.cacheWrite }),
    ...(parts.cacheWriteHour > 0 && { cache_write_1h_tokens: parts.cacheWriteHour }),
    ...(parts.inputAudio > 0 && { input_audio_tokens: parts.inputAudio }),
    ...(parts.outputAudio > 0 && { output_audio_tokens: parts.outputAudio }),
  };
}

function wholeNano(usd: number): number | null {
  const nano = Math.round(usd * NANO);
  return Number.isSafeInteger(nano) && nano >= 0 ? nano : null;
}

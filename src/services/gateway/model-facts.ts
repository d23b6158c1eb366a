import type { ModelEntry } from "./catalogue.ts";
import type { PricedModel, Prices } from "./prices/prices.ts";
import { NO_PARTS } from "./usage/token-usage.ts";

/** What is known of a model beside its name; null where nothing is. */
export interface ModelFacts {
  /** Tokens it takes in and gives out together. */
  readonly contextWindow: number | null;
  /** US dollars for a million tokens, of a short request where longer ones cost more. */
  readonly inputUsdPerMillion: number | null;
  readonly outputUsdPerMillion: number | null;
}

export const NO_FACTS: ModelFacts = {
  contextWindow: null,
  inputUsdPerMillion: null,
  outputUsdPerMillion: null,
};

/** The models that the gateway knows, and what is known of each. */
export interface ModelDirectory {
  /** In the order of their providers; lists that are not fresh are asked for, and waited for at most 2 s. */
  list(): Promise<readonly ModelEntry[]>;
  describe(entry: ModelEntry): Promise<ModelFacts>;
}

/** Small enough for the lowest step of a price that rises with the length, and for exact sums. */
const SAMPLE_TOKENS = 1000;
/** Nano-dollars for a thousand tokens, as dollars for a million. */
const PER_SAMPLE = 1_000_000;

/** Prices and context window of one model at `time`; the table of prices is loaded where it is not yet. */
export async function factsOfModel(prices: Prices, model: PricedModel, time: number): Promise<ModelFacts> {
  await prices.ready();
  const priceOf = (inputTokens: number, outputTokens: number) => {
    const usage = { inputTokens, outputTokens, parts: NO_PARTS, estimated: false };
    const nano = prices.cost(model, usage, time);
    return nano === null ? null : nano / PER_SAMPLE;
  };
  return {
    contextWindow: prices.contextWindow(model) ?? null,
    inputUsdPerMillion: priceOf(SAMPLE_TOKENS, 0),
    outputUsdPerMillion: priceOf(0, SAMPLE_TOKENS),
  };
}

import fc, { array, nat, property, record } from "fast-check";
import { expect, test, vi } from "vitest";
import { type PriceOverride, priceOverrideSchema } from "#platform/config/price-override.ts";
import { NO_PARTS, type TokenParts, type TokenUsage } from "../usage/token-usage.ts";
import { overrideCost } from "./price-override.ts";
import { openPrices, type PricedModel } from "./prices.ts";

const TIME = Date.UTC(2026, 5, 1);
const used = (
  inputTokens: number | null,
  outputTokens: number | null,
  parts: Partial<TokenParts> = {},
): TokenUsage => ({
  inputTokens,
  outputTokens,
  parts: { ...NO_PARTS, ...parts },
  estimated: false,
});
const at = (baseUrl: string, model: string, kind = "openai-compatible"): PricedModel => ({
  provider: "mine",
  kind,
  baseUrl: new URL(baseUrl),
  model,
});
const OPENAI = at("https://api.openai.com/v1", "gpt-4o-mini");
const CLAUDE = at("https://api.anthropic.com/", "claude-sonnet-4-5", "anthropic");
const LOCAL = at("http://127.0.0.1:11434/v1", "llama3.2");

async function bundled(overrides: readonly object[] = []) {
  const prices = openPrices(overrides.map((price) => priceOverrideSchema.parse(price)));
  await prices.ready();
  return prices;
}

test("[G9] the bundled table prices tokens in whole nano-dollars, cached input and cache writes at their own rate", async () => {
  const prices = await bundled();
  // 0.15, 0.075 cached and 0.60 dollars a million.
  expect(prices.cost(OPENAI, used(1000, 100), TIME)).toBe(210_000);
  expect(prices.cost(OPENAI, used(1000, 100, { cacheRead: 400 }), TIME)).toBe(180_000);
  expect(prices.cost(OPENAI, used(1, 0), TIME)).toBe(150);
  // 3, 0.30 cached, 3.75 and 6 for an hour written, and 15 dollars a million.
  const parts = { cacheRead: 500, cacheWrite: 100, cacheWriteHour: 40 };
  expect(prices.cost(CLAUDE, used(1000, 100, parts), TIME)).toBe(
    400 * 3000 + 500 * 300 + 60 * 3750 + 40 * 6000 + 100 * 15_000,
  );
});

test("[I14] the bundled table tells a model's context window where it knows one", async () => {
  const prices = await bundled([{ model: "*", input_usd_per_million: 1, output_usd_per_million: 1 }]);
  expect(prices.contextWindow(OPENAI)).toBe(128_000);
  expect(prices.contextWindow(LOCAL)).toBeUndefined();
});

test("[G9] a price that is not known is null, never 0; so is a request that told nothing", async () => {
  const prices = await bundled();
  for (const model of [
    LOCAL,
    { ...OPENAI, model: "nobody-made-this" },
    at("http://10.0.0.1/v1", "gpt-oss-120b"),
    at("http://10.0.0.1/v1", "deepseek-chat"),
  ])
    expect(prices.cost(model, used(1000, 100), TIME)).toBeNull();
  expect(prices.cost(OPENAI, null, TIME)).toBeNull();
  expect(prices.cost(OPENAI, used(0, 0), TIME)).toBe(0);
});

test("[G9] the provider is told by its address, else by its kind, else by a name only its maker sells", async () => {
  const prices = await bundled();
  const cost = (model: PricedModel) => prices.cost(model, used(1000, 0), TIME);
  expect(cost(at("http://proxy.internal/v1", "text-embedding-3-small", "openai"))).toBe(20_000);
  expect(cost(at("http://proxy.internal/v1", "text-embedding-3-small"))).toBeNull();
  expect(cost(at("http://proxy.internal/v1", "gpt-4o-mini"))).toBe(150_000);
  expect(cost(at("https://openrouter.ai/api/v1", "openai/gpt-4o-mini"))).toBe(150_000);
  expect(cost(at("http://proxy.internal", "claude-sonnet-4-5", "anthropic"))).toBe(3_000_000);
});

test("[G9] the prices are those of the time of the request", async () => {
  const prices = await bundled();
  const opus = at("https://api.anthropic.com/", "claude-opus-4-6", "anthropic");
  const long = used(300_000, 0);
  expect(prices.cost(opus, long, Date.UTC(2026, 1, 1))).toBe(2 * (prices.cost(opus, long, TIME) ?? 0));
});

test("[G9] a local override comes before the table, the first that matches, and needs no table", () => {
  const overrides = [
    { model: "gpt-4o-mini", provider: "other", input_usd_per_million: 9, output_usd_per_million: 9 },
    {
      model: "gpt-4o*",
      input_usd_per_million: 1,
      output_usd_per_million: 2,
      cached_input_usd_per_million: 0.1,
    },
    { model: "*", provider: "mi*", input_usd_per_million: 0, output_usd_per_million: 0 },
  ].map((price) => priceOverrideSchema.parse(price));
  const prices = openPrices(overrides);
  expect(prices.cost(OPENAI, used(1000, 100, { cacheRead: 500 }), TIME)).toBe(500_000 + 50_000 + 200_000);
  expect(prices.cost(LOCAL, used(1000, 100), TIME)).toBe(0);
  expect(prices.cost({ ...LOCAL, provider: "yours" }, used(1000, 100), TIME)).toBeNull();
});

test("[G9] an override's cost is the exact product, rounded once", () => {
  const price = (input: number): PriceOverride =>
    priceOverrideSchema.parse({ model: "*", input_usd_per_million: input, output_usd_per_million: 0.1 });
  expect(overrideCost(price(0.000_5), used(1, 0))).toBe(1);
  expect(overrideCost(price(0.000_499), used(1, 0))).toBe(0);
  expect(overrideCost(price(100_000), used(90_000_000, 0))).toBe(9e15);
  expect(overrideCost(price(0.3), used(3, 0))).toBe(900);
  expect(overrideCost(price(1), used(null, 3))).toBe(300);
});

test("[G9] for any usage a cost is null or a whole number that does not fall when more is used", async () => {
  const prices = await bundled();
  const tokens = nat(1_000_000);
  fc.assert(
    property(
      record({ input: tokens, output: tokens, more: tokens, share: nat(100) }),
      ({ input, output, more, share }) => {
        const parts = {
          cacheRead: Math.floor((input * share) / 200),
          cacheWrite: Math.floor((input * share) / 400),
        };
        for (const model of [OPENAI, CLAUDE]) {
          const cost = prices.cost(model, used(input, output, parts), TIME);
          const larger = prices.cost(model, used(input, output + more, parts), TIME);
          expect(Number.isSafeInteger(cost)).toBe(true);
          expect(larger ?? 0).toBeGreaterThanOrEqual(cost ?? 0);
        }
      },
    ),
    { seed: 3 },
  );
});

test("[G9] shares the table has no price for give null, not an error", async () => {
  const prices = await bundled();
  fc.assert(
    property(array(nat(50), { minLength: 5, maxLength: 5 }), ([a = 0, b = 0, c = 0, d = 0, e = 0]) => {
      const parts = { cacheRead: a, cacheWrite: b, cacheWriteHour: c, inputAudio: d, outputAudio: e };
      for (const model of [OPENAI, CLAUDE]) {
        const cost = prices.cost(model, used(40, 10, parts), TIME);
        expect(cost === null || Number.isSafeInteger(cost)).toBe(true);
      }
    }),
    { seed: 4 },
  );
});

test("[G9] the table is not fetched: loading and pricing open no connection and start no timer", async () => {
  const reach = vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("no network"));
  const before = process.getActiveResourcesInfo().filter((name) => name !== "Immediate").length;
  const prices = await bundled();
  prices.cost(OPENAI, used(1, 1), TIME);
  expect(process.getActiveResourcesInfo().filter((name) => name !== "Immediate").length).toBeLessThanOrEqual(
    before,
  );
  expect(reach).not.toHaveBeenCalled();
  reach.mockRestore();
});

test("an override is refused for a wrong pattern, a negative or missing price, or a field nobody knows", () => {
  const good = { model: "gpt-*", input_usd_per_million: 1, output_usd_per_million: 1 };
  expect(priceOverrideSchema.safeParse(good).success).toBe(true);
  for (const bad of [
    { ...good, model: "*-mini" },
    { ...good, model: "" },
    { ...good, input_usd_per_million: -1 },
    { ...good, input_usd_per_million: 1e9 },
    { ...good, output_usd_per_million: undefined },
    { ...good, price: 1 },
  ])
    expect(priceOverrideSchema.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
});

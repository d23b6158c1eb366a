import { FakeClock } from "#test/fake-clock.ts";
import { type Bench, chat, startBench } from "#test/gateway/bench.ts";
import type { Behaviour } from "#test/upstream.ts";

/** What the models of the simulated upstreams cost: 1,000 and 10,000 nano-dollars a token. */
export const PRICES = `settings:
  prices: [{ model: "*", input_usd_per_million: 1, output_usd_per_million: 10 }]
`;

/** A server on a clock that stands still, and a key of these limits besides the one without. */
export async function startLimited(
  limits: Readonly<Record<string, number>>,
  options: {
    dialect?: "openai" | "anthropic";
    priced?: boolean;
    clock?: FakeClock;
    dataDir?: string;
    workers?: number;
  } = {},
) {
  const { dialect = "openai", clock = new FakeClock(), priced = true, dataDir, workers } = options;
  const given = {
    clock,
    ...(priced && { yaml: PRICES }),
    ...(dataDir !== undefined && { dataDir }),
    ...(workers !== undefined && { workers }),
  };
  const bench = await startBench(given, dialect);
  const { key: limitedKey } = await bench.claviger.issueKey("limited", ["gateway"], limits);
  const ask = (more: object = {}, { path = "/v1/chat/completions", key = limitedKey } = {}) =>
    bench.claviger.call({
      method: "POST",
      path,
      headers: { authorization: `Bearer ${key}` },
      body: chat(more),
    });
  return Object.assign(bench, { clock, limitedKey, ask });
}

/** The bench as the limited key's client meets it. */
export function asLimited(bench: Bench & { limitedKey: string }): Bench {
  return { ...bench, key: bench.limitedKey };
}

/** How an upstream answers whole, telling that it used so much. */
export function using(input: number, output: number): Behaviour {
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  const body = { id: "chatcmpl-1", object: "chat.completion", created: 0, model: "m", choices: [], usage };
  return { kind: "raw", headers: { "content-type": "application/json" }, chunks: [JSON.stringify(body)] };
}

/** Tokens estimated for the input of a chat. */
export function inputReserve(more: object): number {
  return Math.ceil(JSON.stringify(chat(more)).length / 4);
}

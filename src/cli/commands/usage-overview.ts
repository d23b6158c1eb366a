import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import { dollars } from "./usage-report.ts";

export const STEPS = ["auto", "minute", "hour", "day"] as const;
export const TOP_BY = ["key", "model", "provider", "identity"] as const;
export const TOP_METRICS = ["requests", "tokens", "cost", "errors"] as const;

interface PeriodFlags extends LocalFlags {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

export interface OverviewFlags extends PeriodFlags {
  readonly step: (typeof STEPS)[number];
}

export interface TopFlags extends PeriodFlags {
  readonly by: (typeof TOP_BY)[number];
  readonly metric: (typeof TOP_METRICS)[number];
  readonly lines: number;
}

const milliseconds = z.number().nullable();
const sums = z
  .object({
    requests: z.number(),
    errors: z.number(),
    input_tokens: z.number(),
    output_tokens: z.number(),
    cost_usd: z.number().nullable(),
  })
  .loose();
const figures = sums.extend({
  latency_ms: z.object({ p50: milliseconds, p95: milliseconds, p99: milliseconds }),
});
const overview = z
  .object({
    step: z.string(),
    complete: z.boolean(),
    totals: figures,
    before: figures,
    series: z.array(figures.extend({ time: z.string() })),
  })
  .loose();
const top = z
  .object({
    complete: z.boolean(),
    data: z.array(sums.extend({ id: z.string().nullable(), name: z.string().nullable() })),
  })
  .loose();

/** `usage overview`: a row for each step in which there was a request, then the whole and the period before. */
export async function showOverview(context: CommandContext, flags: OverviewFlags): Promise<void> {
  const answer = overview.parse(await ask(context, flags, "/api/v1/overview", { step: flags.step }));
  const output = context.output();
  if (flags.json === true) return output.result(answer, String);
  const row = (time: string, { latency_ms, ...rest }: z.infer<typeof figures>) => ({
    time,
    ...sumCells(rest),
    p50_ms: latency_ms.p50,
    p95_ms: latency_ms.p95,
    p99_ms: latency_ms.p99,
  });
  const steps = answer.series.filter(({ requests }) => requests > 0);
  output.table(
    ["time", "requests", "errors", "input_tokens", "output_tokens", "cost_usd", "p50_ms", "p95_ms", "p99_ms"],
    [
      ...steps.map((step) => row(step.time, step)),
      row("in all", answer.totals),
      row("the period before", answer.before),
    ],
  );
  noteIncomplete(context, answer.complete);
}

/** `usage top`: the keys, identities, models or providers with the most of a figure. */
export async function showTop(context: CommandContext, flags: TopFlags): Promise<void> {
  const { by, metric, lines } = flags;
  const answer = top.parse(
    await ask(context, flags, "/api/v1/overview/top", { by, metric, limit: String(Math.min(lines, 100)) }),
  );
  const output = context.output();
  if (flags.json === true) return output.result(answer.data, String);
  output.table(
    ["name", "requests", "errors", "input_tokens", "output_tokens", "cost_usd", "id"],
    answer.data.map(({ id, name, ...rest }) => ({ name, ...sumCells(rest), id })),
  );
  noteIncomplete(context, answer.complete);
}

function sumCells({ requests, errors, input_tokens, output_tokens, cost_usd }: z.infer<typeof sums>) {
  return {
    requests,
    errors,
    input_tokens,
    output_tokens,
    cost_usd: cost_usd === null ? null : dollars(cost_usd),
  };
}

function noteIncomplete(context: CommandContext, complete: boolean): void {
  if (!complete)
    context
      .output()
      .note("Requests of before the upgrade are still being summed: older figures are too low.");
}

async function ask(
  context: CommandContext,
  flags: PeriodFlags,
  path: string,
  asked: Readonly<Record<string, string>>,
): Promise<unknown> {
  const query = new URLSearchParams(asked);
  if (flags.from !== undefined) query.set("from", flags.from);
  if (flags.to !== undefined) query.set("to", flags.to);
  const { body } = await callLocal(context, flags, { method: "GET", path: `${path}?${query}` });
  return body;
}

import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import { readProgress } from "../../sums/store.ts";
import { parseSteppedPeriod, periodBefore, STEPS } from "../overview-period.ts";
import { type Point, readSeries, readTotals } from "../series.ts";

const query = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  step: z.enum(["auto", ...STEPS], { error: `must be one of auto, ${STEPS.join(", ")}` }).default("auto"),
});
const milliseconds = z.number().nullable();
const percentiles = z.object({ p50: milliseconds, p95: milliseconds, p99: milliseconds });
const figures = z.object({
  requests: z.number(),
  errors: z.number(),
  client_errors: z.number(),
  server_errors: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number().nullable(),
  estimated_requests: z.number(),
  unpriced_requests: z.number(),
  latency_ms: percentiles,
  first_byte_ms: percentiles,
});
const answer = z.object({
  from: z.string(),
  to: z.string(),
  step: z.enum(STEPS),
  complete: z.boolean(),
  totals: figures,
  before: figures.extend({ from: z.string(), to: z.string() }),
  series: z.array(figures.extend({ time: z.string() })),
});

const some = {
  requests: 12,
  errors: 1,
  client_errors: 1,
  server_errors: 0,
  input_tokens: 4200,
  output_tokens: 1800,
  cost_usd: 0.0125,
  estimated_requests: 0,
  unpriced_requests: 0,
  latency_ms: { p50: 640, p95: 2810, p99: 4700 },
  first_byte_ms: { p50: 210, p95: 480, p99: 690 },
} satisfies z.infer<typeof figures>;
const example = {
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-01T01:00:00.000Z",
  step: "hour",
  complete: true,
  totals: some,
  before: { ...some, from: "2025-12-31T23:00:00.000Z", to: "2026-01-01T00:00:00.000Z" },
  series: [{ ...some, time: "2026-01-01T00:00:00.000Z" }],
} satisfies z.infer<typeof answer>;

/** `GET /api/v1/overview`: what was used in a period, step by step, as a whole, and in the period before. */
export function overviewRoute(
  api: Api,
  parts: { database: Database; clock: Clock; flush: () => Promise<void> },
): void {
  api.route({
    method: "GET",
    url: "/api/v1/overview",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/overview",
        action: "usage.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary:
        "Show requests, errors, tokens, cost and latency of a period, step by step, beside the period before.",
      querystring: query,
      response: { 200: answer },
      example: { answer: example },
    },
    handler: async (request) => {
      const period = parseSteppedPeriod(request.query, parts.clock.now());
      await parts.flush();
      const { totals, series } = await readSeries(parts.database.query, period);
      const before = periodBefore(period);
      const { unsummed } = await readProgress(parts.database.query);
      return {
        ...edges(period),
        step: period.step,
        complete: unsummed === 0,
        totals,
        before: { ...edges(before), ...(await readTotals(parts.database.query, before)) },
        series: series.map(toPoint),
      };
    },
  });
}

function edges({ from, to }: { from: number; to: number }) {
  return { from: toTimestamp(from), to: toTimestamp(to) };
}

function toPoint({ start, ...rest }: Point) {
  return { time: toTimestamp(start), ...rest };
}

import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Database } from "#platform/storage/database.ts";
import { GROUPINGS, type Grouping, incompleteDays, type UsageSum, usageSums } from "../store.ts";
import { dateOf, lastDays, type Period, parsePeriod } from "../usage-period.ts";

const query = z.strictObject({
  by: z.enum(GROUPINGS, { error: `must be one of ${GROUPINGS.join(", ")}` }).default("day"),
  from: z.string().optional(),
  to: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
});
const row = z.object({
  key: z.string().optional(),
  model: z.string().optional(),
  provider: z.string().nullable().optional(),
  day: z.string().optional(),
  requests: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number().nullable(),
  estimated_requests: z.number(),
  unpriced_requests: z.number(),
});

const example = {
  day: "2026-01-01",
  requests: 12,
  input_tokens: 4200,
  output_tokens: 1800,
  cost_usd: 0.0125,
  estimated_requests: 0,
  unpriced_requests: 0,
} satisfies z.infer<typeof row>;

/** `GET /api/v1/usage`: requests, tokens and cost over a period, by key, model, provider or UTC day. */
export function usageRoute(
  api: Api,
  parts: { database: Database; clock: Clock; flush: () => Promise<void> },
): void {
  api.route({
    method: "GET",
    url: "/api/v1/usage",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/usage",
        action: "usage.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary: "Sum up requests, tokens and cost of a period, by key, model, provider or UTC day.",
      querystring: query,
      response: { 200: z.object({ data: z.array(row), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { by, limit, cursor, ...given } = request.query;
      const period = parsePeriod(given, lastDays(parts.clock.now()));
      const after = cursor === undefined ? undefined : readCursor(by, cursor);
      await parts.flush();
      await refuseLostDays(parts.database, period);
      const sums = await usageSums(parts.database.query, { by, period, after, limit: limit + 1 });
      const page = sums.slice(0, limit);
      const last = page.at(-1);
      const more = sums.length > limit && last !== undefined;
      return { data: page.map((sum) => toRow(by, sum)), next_cursor: more ? toCursor(by, last.name) : null };
    },
  });
}

async function refuseLostDays(database: Database, period: Period): Promise<void> {
  const [day] = await incompleteDays(database.query, period);
  if (day === undefined) return;
  throw new AppError(
    "bad_request",
    `The single requests of ${dateOf(day)} are not all kept any more, only that day's sums: give from and to as dates.`,
  );
}

function toRow(by: Grouping, { name, ...sums }: UsageSum): z.infer<typeof row> {
  switch (by) {
    case "key":
      return { key: String(name), ...sums };
    case "model":
      return { model: String(name), ...sums };
    case "provider":
      return { provider: name === "" ? null : String(name), ...sums };
    case "day":
      return { day: dateOf(Number(name)), ...sums };
  }
}

/** The grouping stands before the name, so that a cursor of another list is refused. */
function toCursor(by: Grouping, name: string | number): string {
  return Buffer.from(`${by}:${name}`).toString("base64url");
}

function readCursor(by: Grouping, cursor: string): string | number {
  const text = Buffer.from(cursor, "base64url").toString();
  const name = text.slice(by.length + 1);
  const isOurs = text.startsWith(`${by}:`) && (by !== "day" || /^\d{1,9}$/.test(name));
  if (!isOurs)
    throw new AppError(
      "bad_request",
      "cursor is not one of this list: give the next_cursor of an answer as it is.",
    );
  return by === "day" ? Number(name) : name;
}

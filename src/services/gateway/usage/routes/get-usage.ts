import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { readSortCursor, toSortCursor } from "#platform/lib/sorted-page.ts";
import type { Database } from "#platform/storage/database.ts";
import { type NamedIdentity, principalNames } from "../../principals/store.ts";
import {
  GROUPINGS,
  type Grouping,
  incompleteDays,
  type PlacedSum,
  USAGE_SORTS,
  usageSums,
} from "../store.ts";
import { dateOf, lastDays, type Period, parsePeriod } from "../usage-period.ts";

const query = z.strictObject({
  by: z.enum(GROUPINGS, { error: `must be one of ${GROUPINGS.join(", ")}` }).default("day"),
  from: z.string().optional(),
  to: z.string().optional(),
  sort: z.enum(USAGE_SORTS, { error: `must be one of ${USAGE_SORTS.join(", ")}` }).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
});
const row = z.object({
  key: z.string().optional(),
  /** Of a key or identity; null where none is known any more. */
  name: z.string().nullable().optional(),
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
  parts: {
    database: Database;
    clock: Clock;
    flush: () => Promise<void>;
    /** Those of the configuration file. */
    identities: () => readonly NamedIdentity[];
  },
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
      const { by, sort, limit, cursor, ...given } = request.query;
      const { query: database } = parts.database;
      const period = parsePeriod(given, lastDays(parts.clock.now()));
      // What it is by stands in the cursor, so that one of another list is refused.
      const list = `${by} ${sort ?? ""}`;
      const after = cursor === undefined ? undefined : readSortCursor(cursor, list);
      const identities = parts.identities();
      await parts.flush();
      await refuseLostDays(parts.database, period);
      const sums = await usageSums(database, { by, period, sort, after, limit: limit + 1, identities });
      const page = sums.slice(0, limit);
      const last = page.at(-1);
      const ids = by === "key" ? page.map(({ name }) => String(name)) : [];
      const names = await principalNames(database, ids, identities);
      return {
        data: page.map((sum) => toRow(by, sum, names)),
        next_cursor: sums.length > limit && last !== undefined ? toSortCursor(last.place, list) : null,
      };
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

function toRow(
  by: Grouping,
  { name, place: _, ...sums }: PlacedSum,
  names: ReadonlyMap<string, string>,
): z.infer<typeof row> {
  switch (by) {
    case "key":
      return { key: String(name), name: names.get(String(name)) ?? null, ...sums };
    case "model":
      return { model: String(name), ...sums };
    case "provider":
      return { provider: name === "" ? null : String(name), ...sums };
    case "day":
      return { day: dateOf(Number(name)), ...sums };
  }
}

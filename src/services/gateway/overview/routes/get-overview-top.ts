import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import { type NamedIdentity, principalNames } from "../../principals/store.ts";
import { readProgress } from "../../sums/store.ts";
import { parseTopPeriod } from "../overview-period.ts";
import { METRICS, TOP_BY, topSums } from "../store.ts";

const query = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  by: z.enum(TOP_BY, { error: `must be one of ${TOP_BY.join(", ")}` }).default("key"),
  metric: z.enum(METRICS, { error: `must be one of ${METRICS.join(", ")}` }).default("requests"),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
const row = z.object({
  id: z.string().nullable(),
  name: z.string().nullable(),
  requests: z.number(),
  errors: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number().nullable(),
});
const answer = z.object({
  from: z.string(),
  to: z.string(),
  complete: z.boolean(),
  data: z.array(row),
  next_cursor: z.null(),
});
const example = {
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-02T00:00:00.000Z",
  complete: true,
  data: [
    {
      id: "key_4fT0qJ7c2LxV",
      name: "editor",
      requests: 12,
      errors: 1,
      input_tokens: 4200,
      output_tokens: 1800,
      cost_usd: 0.0125,
    },
  ],
  next_cursor: null,
} satisfies z.infer<typeof answer>;

/** `GET /api/v1/overview/top`: the keys, identities, models or providers with the most of a figure. */
export function overviewTopRoute(
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
    url: "/api/v1/overview/top",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/overview/top",
        action: "usage.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary:
        "List the keys, identities, models or providers with the most requests, tokens, cost or errors.",
      querystring: query,
      response: { 200: answer },
      example: { answer: example },
    },
    handler: async (request) => {
      const { by, metric, limit, ...given } = request.query;
      const period = parseTopPeriod(given, by, parts.clock.now());
      await parts.flush();
      const { query: database } = parts.database;
      const sums = await topSums(database, { by, metric, period, limit });
      const isPrincipal = by === "key" || by === "identity";
      const ids = isPrincipal ? sums.map(({ id }) => id) : [];
      const names = await principalNames(database, ids, parts.identities());
      const { unsummed } = await readProgress(database);
      return {
        from: toTimestamp(period.from),
        to: toTimestamp(period.to),
        complete: unsummed === 0,
        data: sums.map(({ id, ...sum }) => ({ id: id || null, name: (names.get(id) ?? id) || null, ...sum })),
        next_cursor: null,
      };
    },
  });
}

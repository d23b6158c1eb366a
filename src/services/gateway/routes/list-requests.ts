import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import { type NamedIdentity, principalNames } from "../principals/store.ts";
import { toRequestJson } from "../requests/request-log.ts";
import { readRowCursor, toRowCursor } from "../requests/row-cursor.ts";
import { type RowFilter, requestRows } from "../requests/store.ts";
import { parsePeriod, parseTime } from "../usage/usage-period.ts";

const figure = z.number().nullable();
const row = z.object({
  time: z.string(),
  request_id: z.string(),
  principal: z.string(),
  /** Null for whom no key and no identity is known any more. */
  principal_name: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string(),
  status: z.number(),
  latency_ms: z.number(),
  first_byte_ms: figure,
  input_tokens: figure,
  output_tokens: figure,
  cost_usd: figure,
  streamed: z.boolean(),
});
const example = {
  time: "2026-01-01T00:00:00.000Z",
  request_id: "req_01J9ZQ4T5V",
  principal: "key_4fT0qJ7c2LxV",
  principal_name: "editor",
  provider: "openai",
  model: "openai/gpt-5-mini",
  status: 200,
  latency_ms: 812,
  first_byte_ms: 240,
  input_tokens: 42,
  output_tokens: 128,
  cost_usd: 0.0002665,
  streamed: true,
} satisfies z.infer<typeof row>;
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
  order: z.enum(["newest", "oldest"]).default("newest"),
  from: z.string().optional(),
  to: z.string().optional(),
  status: z
    .string()
    .regex(/^[1-5](xx|\d\d)$/, "must be a status such as 429, or a class of them such as 4xx")
    .optional(),
  principal: z.string().max(200).optional(),
  provider: z.string().max(200).optional(),
  model: z.string().max(500).optional(),
  request_id: z.string().max(200).optional(),
});

/** `GET /api/v1/requests`: the metadata of gateway requests, newest first unless asked, filtered. */
export function listRequestsRoute(
  api: Api,
  parts: {
    database: Database;
    flush: () => Promise<void>;
    /** Those of the configuration file. */
    identities: () => readonly NamedIdentity[];
  },
): void {
  api.route({
    method: "GET",
    url: "/api/v1/requests",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/requests",
        action: "requests.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary:
        "List the metadata of gateway requests, newest first unless asked; all of them, or those of a time, principal, provider, model, status or id.",
      querystring: query,
      response: { 200: z.object({ data: z.array(row), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { limit, cursor, order, ...given } = request.query;
      const { query: database } = parts.database;
      const list = { filter: filterOf(given), order };
      const after = cursor === undefined ? undefined : readRowCursor(cursor, list);
      await parts.flush();
      const rows = await requestRows(database, { ...list, limit: limit + 1, after });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const ids = page.map(({ principal }) => principal);
      const names = await principalNames(database, ids, parts.identities());
      return {
        data: page.map((row) => ({
          ...toRequestJson(row),
          principal_name: names.get(row.principal) ?? null,
        })),
        next_cursor: rows.length > limit && last !== undefined ? toRowCursor(last, list) : null,
      };
    },
  });
}

function filterOf(given: Omit<z.infer<typeof query>, "limit" | "cursor" | "order">): RowFilter {
  const { status, from, to } = given;
  if (from !== undefined && to !== undefined) parsePeriod({ from, to }, { to: 0, longMs: 0 });
  return {
    requestId: given.request_id,
    principal: given.principal,
    provider: given.provider,
    model: given.model,
    from: from === undefined ? undefined : parseTime("from", from),
    to: to === undefined ? undefined : parseTime("to", to),
    status:
      status === undefined
        ? undefined
        : { least: Number(status.replace("xx", "00")), most: Number(status.replace("xx", "99")) },
  };
}

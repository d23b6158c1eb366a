import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import { toRequestJson } from "../requests/request-log.ts";
import { type RowPlace, requestRows } from "../requests/store.ts";

const figure = z.number().nullable();
const row = z.object({
  time: z.string(),
  request_id: z.string(),
  principal: z.string(),
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
  cursor: z
    .string()
    .regex(/^\d{1,16}-\d{1,16}$/, "is not a cursor of this list")
    .optional(),
});

/** `GET /api/v1/requests`: the metadata of gateway requests, newest first. */
export function listRequestsRoute(api: Api, parts: { database: Database; flush: () => Promise<void> }): void {
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
      summary: "List the metadata of gateway requests, newest first.",
      querystring: query,
      response: { 200: z.object({ data: z.array(row), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      await parts.flush();
      const { limit, cursor } = request.query;
      const rows = await requestRows(parts.database.query, {
        limit: limit + 1,
        before: cursor === undefined ? undefined : placeOf(cursor),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        data: page.map(toRequestJson),
        next_cursor: rows.length > limit && last !== undefined ? `${last.time}-${last.seq}` : null,
      };
    },
  });
}

function placeOf(cursor: string): RowPlace {
  const [time, seq] = cursor.split("-").map(Number);
  return { time: time ?? 0, seq: seq ?? 0 };
}

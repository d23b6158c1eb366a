import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { AuditRecorder } from "../recorder.ts";

const text = z.string().nullable();
const row = z.object({
  chain: z.string(),
  seq: z.number(),
  time: z.string(),
  actor: z.string(),
  action: z.string(),
  target: text,
  outcome: z.enum(["success", "failure", "denied"]),
  address: text,
  request_id: text,
  count: z.number(),
  hash: text,
});
const example = {
  chain: "chain_1f0c5e2a9b7d4e38",
  seq: 12,
  time: "2026-01-01T00:00:00.000Z",
  actor: "local",
  action: "key.create",
  target: "key_4fT0qJ7c2LxV",
  outcome: "success",
  address: null,
  request_id: "req_01J9ZQ4T5V",
  count: 1,
  hash: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
} satisfies z.infer<typeof row>;
/** RFC 3339, or a day, which begins at midnight UTC. */
const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((text) => Date.parse(text))
  .optional();
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(64).optional(),
  order: z.enum(["newest", "oldest"]).default("newest"),
  actor: z.string().min(1).max(256).optional(),
  action: z.string().min(1).max(256).optional(),
  target: z.string().min(1).max(1024).optional(),
  outcome: z.enum(["success", "failure", "denied"]).optional(),
  since: moment,
  until: moment,
});

/** `GET /api/v1/audit`: what happened, newest first; refusals of unknown callers once their minute is over. */
export function listAuditRoute(api: Api, audit: Pick<AuditRecorder, "list" | "flush">): void {
  api.route({
    method: "GET",
    url: "/api/v1/audit",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/audit",
        action: "audit.read",
        openWhileLocked: "local",
        family: "api",
      },
    },
    schema: {
      summary: "List what happened, newest first unless asked; every filter narrows it.",
      querystring: query,
      response: { 200: z.object({ data: z.array(row), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      // What cannot be written now waits, and the housekeeping says why: reading works on a full disk too.
      await audit.flush().catch(() => {});
      const { since: sinceMs, until: untilMs, ...asked } = request.query;
      return audit.list({ ...asked, cursor: asked.cursor, sinceMs, untilMs });
    },
  });
}

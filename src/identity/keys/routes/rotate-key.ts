import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { issuedKeyExample, issuedKeyShape, keyContract, keyParams, managedKey } from "./key-shape.ts";

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MOST_MS = 90 * UNIT_MS.d;

const overlap = z
  .string()
  .regex(/^(?:0|\d{1,7}[smhd])$/, "an overlap is 0 or a number with s, m, h or d, such as 24h")
  .transform(durationMs)
  .refine((ms) => ms <= MOST_MS, "an overlap is 90d at most");
const body = z.strictObject({ overlap });

/** `POST /api/v1/keys/{id}/rotate`: 201 with a successor, its text shown this once; 409 for a key rotated before. */
export function rotateKeyRoute(
  api: Api,
  parts: { keys: IssuedKeys; sets: PermissionSets; gates: Gates },
): void {
  api.route({
    method: "POST",
    url: "/api/v1/keys/:id/rotate",
    config: { contract: keyContract("POST", "/api/v1/keys/{id}/rotate") },
    schema: {
      summary: "Issue a successor with the same grant; both hold until the overlap is over.",
      params: keyParams,
      body,
      response: { 201: issuedKeyShape },
      example: {
        body: { overlap: "24h" },
        answer: { ...issuedKeyExample, replaces: "key_8bV3nM1xZ6Qw" },
      },
      errors: ["exceeds_own_rights", "conflict", "keys_full"],
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id } = await managedKey(parts, exchange, request.params.id);
      const how = { overlapMs: request.body.overlap, by: authorOf(exchange) };
      const issued = await parts.keys.rotate(id, how, parts.sets);
      return reply.code(201).send({ ...issued, key: issued.key.expose() });
    },
  });
}

function durationMs(text: string): number {
  const unit = text.at(-1);
  if (unit === "s" || unit === "m" || unit === "h" || unit === "d")
    return Number(text.slice(0, -1)) * UNIT_MS[unit];
  return 0;
}

import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { changedKeyTerms } from "../key-terms.ts";
import { keyContract, keyExample, keyParams, keyShape, managedKey } from "./key-shape.ts";

const body = z.strictObject({ name: resourceName.optional(), ...changedKeyTerms });

/** `PATCH /api/v1/keys/{id}`: what is absent stays, null removes; it holds from the next request on. */
export function updateKeyRoute(
  api: Api,
  parts: { keys: IssuedKeys; sets: PermissionSets; gates: Gates },
): void {
  api.route({
    method: "PATCH",
    url: "/api/v1/keys/:id",
    config: { contract: keyContract("PATCH", "/api/v1/keys/{id}") },
    schema: {
      summary: "Change a key; what is absent stays, null removes.",
      params: keyParams,
      body,
      response: { 200: keyShape },
      example: {
        body: { models: ["openai/*"], limits: { concurrency: 4 } },
        answer: { ...keyExample, models: ["openai/*"] },
      },
      errors: ["exceeds_own_rights", "conflict", "keys_full"],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      const { name } = request.body;
      const { id } = await managedKey(parts, exchange, request.params.id);
      // Under another name it must be the caller's still.
      if (name !== undefined) authorise(parts.gates, exchange, "keys.manage", name);
      exchange.target = id;
      return parts.keys.update(id, { ...request.body, by: authorOf(exchange) }, parts.sets);
    },
  });
}

import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { newKeyTerms } from "../key-terms.ts";
import { issuedKeyExample, issuedKeyShape, keyContract, keyExample } from "./key-shape.ts";

const PATH = "/api/v1/keys";
const body = z.strictObject({ name: resourceName, ...newKeyTerms }).meta({ id: "NewKey" });

/** `POST /api/v1/keys`: 201 with the key's text, shown this once; 409 when the name is taken. */
export function createKeyRoute(
  api: Api,
  parts: { keys: IssuedKeys; sets: PermissionSets; gates: Gates },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: keyContract("POST", PATH) },
    schema: {
      summary: "Issue a key; its text is answered this once.",
      body,
      response: { 201: issuedKeyShape },
      example: {
        body: { name: keyExample.name, permissions: keyExample.permissions, limits: keyExample.limits },
        answer: issuedKeyExample,
      },
      errors: ["exceeds_own_rights", "conflict", "keys_full"],
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      authorise(parts.gates, exchange, "keys.manage", request.body.name);
      const issued = await parts.keys.create({ ...request.body, by: authorOf(exchange) }, parts.sets);
      return reply.code(201).send({ ...issued, key: issued.key.expose() });
    },
  });
}

import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { keyContract, keyExample, keyParams, keyShape, managedKey } from "./key-shape.ts";

/** `GET /api/v1/keys/{id}`: a key, revoked or not; 404 for an unknown id. */
export function showKeyRoute(api: Api, parts: { keys: IssuedKeys; gates: Gates }): void {
  api.route({
    method: "GET",
    url: "/api/v1/keys/:id",
    config: { contract: keyContract("GET", "/api/v1/keys/{id}") },
    schema: {
      summary: "Show one key, revoked or not.",
      params: keyParams,
      response: { 200: keyShape },
      example: { answer: keyExample },
    },
    handler: (request) => managedKey(parts, exchangeOf(request), request.params.id),
  });
}

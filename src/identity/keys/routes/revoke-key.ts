import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { keyContract } from "./key-shape.ts";

/** `DELETE /api/v1/keys/{id}`: 204, and the key is refused from then on; 404 for an unknown or revoked id. */
export function revokeKeyRoute(api: Api, parts: { keys: IssuedKeys; gates: Gates }): void {
  const { keys, gates } = parts;
  api.route({
    method: "DELETE",
    url: "/api/v1/keys/:id",
    config: { contract: keyContract("DELETE", "/api/v1/keys/{id}") },
    schema: {
      summary: "Revoke a key: it is refused from now on, its running answers end.",
      params: z.object({ id: z.string().max(64) }),
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id } = request.params;
      const key = await keys.find(id);
      if (key === undefined) throw new AppError("not_found", `No key in force has the id ${id}.`);
      authorise(gates, exchange, "keys.manage", key.name);
      exchange.target = id;
      const outcome = await keys.revoke(id, authorOf(exchange));
      if (!outcome.recorded)
        throw new AppError(
          "storage_full",
          "The key is refused from now on, but that could not be written yet; it is tried again.",
          { cause: outcome.cause },
        );
      return reply.code(204).send();
    },
  });
}

import { authorOf, type ChangeAuthor } from "#platform/http/exchange.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { keyContract, keyParams, managedKey } from "./key-shape.ts";

/** `DELETE /api/v1/keys/{id}`: 204, and the key is refused from then on; 404 for an unknown or revoked id. */
export function revokeKeyRoute(api: Api, parts: { keys: IssuedKeys; gates: Gates }): void {
  api.route({
    method: "DELETE",
    url: "/api/v1/keys/:id",
    config: { contract: { ...keyContract("DELETE", "/api/v1/keys/{id}"), servedOnLowDisk: true } },
    schema: {
      summary: "Revoke a key: it is refused from now on, its running answers end.",
      params: keyParams,
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { id } = await managedKey(parts, exchange, request.params.id);
      await revokeOrSayWhy(parts.keys, id, authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

/** Throws AppError `storage_full` where it holds and could not be written, `not_found` for a key revoked already. */
export async function revokeOrSayWhy(keys: IssuedKeys, id: string, by: ChangeAuthor): Promise<void> {
  const outcome = await keys.revoke(id, by);
  if (outcome.recorded) return;
  throw new AppError(
    "storage_full",
    "The key is refused from now on, but that could not be written yet; it is tried again.",
    { cause: outcome.cause },
  );
}

import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { ServerKey } from "../server-key.ts";
import { guardedContract } from "./key-shape.ts";
import { throwInPlace } from "./not-while-locked.ts";

const PATH = "/api/v1/key/recovery";

/** `DELETE /api/v1/key/recovery`: 204, also when there is none; the recovery key is refused from then on. */
export function revokeRecoveryKeyRoute(api: Api, parts: { readonly seal: ServerKey }): void {
  api.route({
    method: "DELETE",
    url: PATH,
    config: {
      contract: { ...guardedContract("DELETE", PATH, "key.recovery.revoke"), servedOnLowDisk: true },
    },
    schema: {
      summary: "Revoke the recovery key: from now on the server key alone unlocks.",
      errors: ["key_not_initialized", "seal_busy", "server_locked"],
    },
    handler: async (request, reply) => {
      await parts.seal.revokeRecovery(authorOf(exchangeOf(request))).catch(throwInPlace);
      return reply.code(204).send();
    },
  });
}

import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { userContract, userParams } from "./user-shape.ts";

/** `DELETE /api/v1/users/{id}`: 204, and the user's sessions are refused from then on; 409 for the last superadmin. */
export function removeUserRoute(api: Api, { people }: { readonly people: People }): void {
  api.route({
    method: "DELETE",
    url: "/api/v1/users/:id",
    config: {
      contract: {
        ...userContract("DELETE", "/api/v1/users/{id}", { audited: "user.remove" }),
        servedOnLowDisk: true,
      },
    },
    schema: {
      summary: "Remove a user: all of the user's sessions end.",
      params: userParams,
      errors: ["last_superadmin"],
    },
    handler: async (request, reply) => {
      await people.changes.remove(request.params.id, authorOf(exchangeOf(request)));
      return reply.code(204).send();
    },
  });
}

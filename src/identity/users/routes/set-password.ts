import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { passwordText } from "../user.ts";
import { userContract, userParams } from "./user-shape.ts";

const body = z
  .strictObject({ password: passwordText, must_change_password: z.boolean().default(true) })
  .meta({ id: "PasswordOfUser" });

/**
 * `PUT /api/v1/users/{id}/password`: 204, and the user's sessions have ended; over the control socket, which takes it while
 * the server is locked too, no address is locked out any more.
 */
export function setPasswordRoute(
  api: Api,
  { people, sets }: { readonly people: People; readonly sets: PermissionSets },
): void {
  const path = "/api/v1/users/{id}/password";
  api.route({
    method: "PUT",
    url: "/api/v1/users/:id/password",
    config: {
      contract: userContract("PUT", path, {
        audited: "user.password",
        openWhileLocked: "local",
        servedOnLowDisk: true,
      }),
    },
    schema: {
      summary: "Give a user another password: all of the user's sessions end.",
      params: userParams,
      body,
      example: { body: { password: "another example of a password" } },
      errors: ["exceeds_own_rights", "weak_password"],
    },
    handler: async (request, reply) => {
      const by = authorOf(exchangeOf(request));
      const { password, must_change_password: mustChangePassword } = request.body;
      await people.changes.setPassword(request.params.id, { password, mustChangePassword }, { by, sets });
      return reply.code(204).send();
    },
  });
}

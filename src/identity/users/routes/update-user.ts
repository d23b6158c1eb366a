import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { showUser, userContract, userExample, userParams, userSets, userShape } from "./user-shape.ts";

const body = z.strictObject({ permissions: userSets }).meta({ id: "UserChange" });

/** `PATCH /api/v1/users/{id}`: other permission sets, which hold from the user's next request on. */
export function updateUserRoute(
  api: Api,
  { people, sets }: { readonly people: People; readonly sets: PermissionSets },
): void {
  api.route({
    method: "PATCH",
    url: "/api/v1/users/:id",
    config: { contract: userContract("PATCH", "/api/v1/users/{id}", { audited: "user.update" }) },
    schema: {
      summary: "Give a user other permission sets.",
      params: userParams,
      body,
      response: { 200: userShape },
      example: { body: { permissions: ["viewer"] }, answer: { ...userExample, permissions: ["viewer"] } },
      errors: ["exceeds_own_rights", "last_superadmin"],
    },
    handler: async (request) => {
      const by = authorOf(exchangeOf(request));
      const { permissions } = request.body;
      const user = await people.changes.setPermissions(request.params.id, permissions, { by, sets });
      return showUser(user, await people.parts.factors.isOn(user.id));
    },
  });
}

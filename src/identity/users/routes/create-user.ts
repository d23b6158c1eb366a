import * as z from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { passwordText, usernameShape } from "../user.ts";
import { showUser, userContract, userExample, userSets, userShape } from "./user-shape.ts";

const PATH = "/api/v1/users";
const body = z
  .strictObject({
    username: usernameShape,
    password: passwordText,
    permissions: userSets,
    must_change_password: z.boolean().default(true),
  })
  .meta({ id: "NewUser" });

/** `POST /api/v1/users`: 201; unless said otherwise the password must be changed at the first sign-in. */
export function createUserRoute(
  api: Api,
  { people, sets }: { readonly people: People; readonly sets: PermissionSets },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: userContract("POST", PATH, { audited: "user.create" }) },
    schema: {
      summary: "Add a user.",
      body,
      response: { 201: userShape },
      example: {
        body: { username: "maria", password: "an example of a password", permissions: ["operator"] },
        answer: userExample,
      },
      errors: ["exceeds_own_rights", "conflict", "weak_password"],
    },
    handler: async (request, reply) => {
      const { must_change_password: mustChangePassword, ...wanted } = request.body;
      const by = authorOf(exchangeOf(request));
      const user = await people.changes.create({ ...wanted, mustChangePassword }, { by, sets });
      return reply.code(201).send(showUser(user, false));
    },
  });
}

import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { People } from "../people.ts";
import { showUser, userContract, userExample, userShape } from "./user-shape.ts";

const PATH = "/api/v1/users";

/** `GET /api/v1/users`: everybody, in the order of their names. */
export function listUsersRoute(api: Api, { people }: { readonly people: People }): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: userContract("GET", PATH, { openWhileLocked: "local" }) },
    schema: {
      summary: "List the users, by name.",
      response: { 200: z.object({ data: z.array(userShape), next_cursor: z.null() }) },
      example: { answer: { data: [userExample], next_cursor: null } },
    },
    handler: async () => ({ data: people.parts.held.users().map(showUser), next_cursor: null }),
  });
}

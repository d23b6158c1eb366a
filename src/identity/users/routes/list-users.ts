import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import { hasText, sortedPage, sortWords } from "#platform/lib/sorted-page.ts";
import type { People } from "../people.ts";
import type { User } from "../user.ts";
import { showUser, userContract, userExample, userShape } from "./user-shape.ts";

const PATH = "/api/v1/users";
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(512).optional(),
  sort: z.enum(sortWords(["username", "created_at", "last_signed_in_at"])).default("username"),
  /** A part of the name or of the id, in whichever case. */
  search: z.string().max(256).default(""),
  permission_set: z.string().max(63).optional(),
});

/** `GET /api/v1/users`: those that fit, in the order of their names unless sorted otherwise. */
export function listUsersRoute(api: Api, { people }: { readonly people: People }): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: userContract("GET", PATH, { openWhileLocked: "local" }) },
    schema: {
      summary: "List the users, sorted and filtered.",
      querystring: query,
      response: { 200: z.object({ data: z.array(userShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [userExample], next_cursor: null } },
    },
    handler: async (request) => {
      const { search, permission_set: set, ...page } = request.query;
      const fits = ({ username, id, permissionSets }: User) =>
        hasText(search, username, id) && (set === undefined || permissionSets.includes(set));
      const { held, factors } = people.parts;
      const { data, next_cursor } = sortedPage(held.users().filter(fits), page, {
        username: ({ username }) => username,
        created_at: ({ createdAt }) => createdAt,
        last_signed_in_at: ({ lastSignedInAt }) => lastSignedInAt,
        id: ({ id }) => id,
      });
      const withFactor = await factors.onOf(data.map(({ id }) => id));
      return { data: data.map((user) => showUser(user, withFactor.has(user.id))), next_cursor };
    },
  });
}

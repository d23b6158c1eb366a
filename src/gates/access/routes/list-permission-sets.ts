import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { hasText, sortedPage, sortWords } from "#platform/lib/sorted-page.ts";
import { ACTIONS } from "../action.ts";
import { describedSets } from "../described-set.ts";
import type { DeclaredPermissionSet } from "../permission-set.ts";

const PATH = "/api/v1/permission-sets";
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  cursor: z.string().max(512).optional(),
  /** `source`: the built-in ones first, then as the file has them. */
  sort: z.enum(sortWords(["source", "name"])).default("source"),
  /** A part of the name, in whichever case. */
  search: z.string().max(256).default(""),
});
const shape = z
  .object({
    name: z.string(),
    source: z.enum(["built-in", "file"]),
    allow: z.array(z.string()),
    deny: z.array(z.string()),
    actions: z.array(
      z.object({
        action: z.enum(ACTIONS),
        permits: z.string(),
        on: z.array(z.string()),
        except: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: "PermissionSet" });
/** For the API's description. */
const example = {
  name: "night-shift",
  source: "file",
  allow: ["gateway.use:openai/*"],
  deny: ["gateway.use:openai/o1*"],
  actions: [
    {
      action: "gateway.use",
      permits: "call models and published APIs through the gateway",
      on: ["openai/*"],
      except: ["openai/o1*"],
    },
  ],
} satisfies z.infer<typeof shape>;

/** `GET /api/v1/permission-sets`: the sets in force that the caller may read, the built-in ones first. */
export function permissionSetRoute(
  api: Api,
  parts: {
    /** What the configuration file declares now. */
    readonly declared: () => Readonly<Record<string, DeclaredPermissionSet>>;
    readonly gates: Gates;
  },
): void {
  api.route({
    method: "GET",
    url: PATH,
    config: {
      contract: {
        method: "GET",
        path: PATH,
        action: "identities.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary: "List the permission sets in force, and what each allows.",
      querystring: query,
      response: { 200: z.object({ data: z.array(shape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { caller } = exchangeOf(request);
      const visible = ({ name }: { readonly name: string }) =>
        caller !== undefined && parts.gates.authorizer.allows(caller, "identities.read", name);
      const { search, ...page } = request.query;
      const sets = describedSets(parts.declared());
      const places = new Map(sets.map(({ name }, place) => [name, place]));
      const found = sets.filter((set) => visible(set) && hasText(search, set.name));
      return sortedPage(found, page, {
        source: ({ name }) => places.get(name) ?? null,
        name: ({ name }) => name,
        id: ({ name }) => name,
      });
    },
  });
}

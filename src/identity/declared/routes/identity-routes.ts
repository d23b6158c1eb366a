import * as z from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import { hasText, sortedPage, sortWords } from "#platform/lib/sorted-page.ts";
import type { DeclaredIdentities } from "../declared-identities.ts";

const PATH = "/api/v1/identities";
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(512).optional(),
  sort: z.enum(sortWords(["name", "last_used_at", "expires_at"])).default("name"),
  /** A part of the name or of the id, in whichever case. */
  search: z.string().max(256).default(""),
  permission_set: z.string().max(63).optional(),
});
const identityShape = z
  .object({
    id: z.string(),
    name: z.string(),
    source: z.literal("file"),
    permissions: z.array(z.string()),
    limits: keyLimits,
    allowed_ips: z.array(z.string()),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
  })
  .meta({ id: "Identity" });
/** For the API's description. */
const example = {
  id: "till-1",
  name: "till",
  source: "file",
  permissions: ["gateway"],
  limits: { requests_per_minute: 60 },
  allowed_ips: ["10.0.0.0/8"],
  expires_at: null,
  last_used_at: "2026-01-01T00:00:00.000Z",
} satisfies z.infer<typeof identityShape>;
const contract = (path: string): RouteContract => ({
  method: "GET",
  path,
  action: "identities.read",
  openWhileLocked: false,
  family: "api",
});

/** `GET /api/v1/identities` and `/{name}`: the identities of the configuration file that the caller may read. */
export function identityRoutes(api: Api, parts: { identities: DeclaredIdentities; gates: Gates }): void {
  const { identities, gates } = parts;
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: contract(PATH) },
    schema: {
      summary: "List the identities that the configuration file declares.",
      querystring: query,
      response: { 200: z.object({ data: z.array(identityShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { caller } = exchangeOf(request);
      const visible = (name: string) =>
        caller !== undefined && gates.authorizer.allows(caller, "identities.read", name);
      const { search, permission_set: set, ...page } = request.query;
      const found = identities
        .list(visible)
        .filter(({ name, id }) => hasText(search, name, id))
        .filter(({ permissions }) => set === undefined || permissions.includes(set));
      return sortedPage(found, page, {
        name: ({ name }) => name,
        last_used_at: (row) => row.last_used_at,
        expires_at: (row) => row.expires_at,
        id: ({ name }) => name,
      });
    },
  });
  api.route({
    method: "GET",
    url: `${PATH}/:name`,
    config: { contract: contract(`${PATH}/{name}`) },
    schema: {
      summary: "Show one identity of the configuration file.",
      params: z.object({ name: z.string().max(63) }),
      response: { 200: identityShape },
      example: { answer: example },
    },
    handler: async (request) => {
      const { name } = request.params;
      authorise(gates, exchangeOf(request), "identities.read", name);
      const row = identities.find(name);
      if (row === undefined)
        throw new AppError("not_found", `No identity of the configuration is called "${name}".`);
      return row;
    },
  });
}

import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { sortedPage, sortWords } from "#platform/lib/sorted-page.ts";
import { baseUrlText } from "../providers/kind.ts";
import type { Provider, Providers } from "../providers/providers.ts";
import { pageInOrder } from "./page-in-order.ts";
import { providerContract, providerExample, providerShape, toProviderJson } from "./provider-shape.ts";

const COLUMNS = ["name", "kind"] as const;
const SORTS = sortWords(COLUMNS);
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
  sort: z.enum(SORTS, { error: `must be one of ${SORTS.join(", ")}` }).optional(),
  /** A part of the name or of the base URL, in whichever case. */
  search: z.string().max(256).optional(),
});

/** `GET /api/v1/providers`: those the caller may manage, in their order unless a sort is asked for. */
export function listProvidersRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "GET",
    url: "/api/v1/providers",
    config: { contract: providerContract("GET", "/api/v1/providers") },
    schema: {
      summary: "List the providers that the caller may manage, in their order unless a sort is asked for.",
      querystring: query,
      response: { 200: z.object({ data: z.array(providerShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [providerExample], next_cursor: null } },
    },
    handler: async (request) => {
      const { sort, search, ...asked } = request.query;
      const { caller } = exchangeOf(request);
      const { authorizer } = parts.gates;
      const found = parts.providers
        .ordered()
        .filter(
          (provider) =>
            caller !== undefined &&
            authorizer.allows(caller, "providers.manage", provider.name) &&
            fits(provider, search),
        );
      const { data, next_cursor } =
        sort === undefined
          ? pageInOrder(found, asked, nameOf)
          : sortedPage(found, { ...asked, sort }, { id: nameOf, name: nameOf, kind: ({ kind }) => kind });
      const views = await Promise.all(data.map(({ name }) => parts.providers.view(name)));
      return { data: views.map(toProviderJson), next_cursor };
    },
  });
}

const nameOf = ({ name }: Provider) => name;

function fits({ name, baseUrl }: Provider, search: string | undefined): boolean {
  if (search === undefined) return true;
  const text = search.toLowerCase();
  return [name, baseUrlText(baseUrl)].some((each) => each.toLowerCase().includes(text));
}

import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { sortedPage, sortOf, sortWords } from "#platform/lib/sorted-page.ts";
import type { ModelEntry } from "../catalogue.ts";
import type { ModelDirectory, ModelFacts } from "../model-facts.ts";
import { pageInOrder } from "./page-in-order.ts";

const COLUMNS = ["id", "context_window", "input_usd_per_million", "output_usd_per_million"] as const;
const SORTS = sortWords(COLUMNS);
type Sort = (typeof SORTS)[number];

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(1000).optional(),
  sort: z.enum(SORTS, { error: `must be one of ${SORTS.join(", ")}` }).optional(),
  provider: z.string().max(63).optional(),
  /** A part of the name, in whichever case. */
  search: z.string().max(256).optional(),
});

const fact = z.number().nullable();
const shape = z
  .object({
    id: z.string(),
    provider: z.string(),
    model: z.string(),
    dialect: z.enum(["openai", "anthropic"]),
    context_window: fact,
    input_usd_per_million: fact,
    output_usd_per_million: fact,
  })
  .meta({ id: "Model" });
const example = {
  id: "openai/gpt-5-mini",
  provider: "openai",
  model: "gpt-5-mini",
  dialect: "openai",
  context_window: 400_000,
  input_usd_per_million: 0.25,
  output_usd_per_million: 2,
} satisfies z.infer<typeof shape>;

/** `GET /api/v1/models`: those the caller may read, in the order of their providers unless a sort is asked for. */
export function listModelsRoute(api: Api, parts: { gates: Gates; models: ModelDirectory }): void {
  api.route({
    method: "GET",
    url: "/api/v1/models",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/models",
        action: "models.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary:
        "List the models the caller may read, each with its context window and its prices where known.",
      querystring: query,
      response: { 200: z.object({ data: z.array(shape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => {
      const { limit, cursor, sort, ...wanted } = request.query;
      const { caller } = exchangeOf(request);
      const { authorizer } = parts.gates;
      const found = (await parts.models.list()).filter(
        (entry) =>
          caller !== undefined && authorizer.allows(caller, "models.read", entry.id) && fits(entry, wanted),
      );
      const page = await pageOf(found, { limit, cursor, sort }, parts.models);
      const data = await Promise.all(
        page.data.map(async (entry) => toModelJson(entry, await parts.models.describe(entry))),
      );
      return { data, next_cursor: page.next_cursor };
    },
  });
}

/** The facts of all are looked up only where they decide the order. */
async function pageOf(
  found: readonly ModelEntry[],
  asked: { readonly limit: number; readonly cursor: string | undefined; readonly sort: Sort | undefined },
  models: ModelDirectory,
): Promise<{ data: readonly ModelEntry[]; next_cursor: string | null }> {
  const { sort, ...page } = asked;
  const idOf = ({ id }: ModelEntry) => id;
  if (sort === undefined) return pageInOrder(found, page, idOf);
  const needsFacts = sortOf(sort).column !== "id";
  const facts = new Map(
    await Promise.all(
      (needsFacts ? found : []).map(async (entry) => [entry, await models.describe(entry)] as const),
    ),
  );
  return sortedPage(
    found,
    { ...page, sort },
    {
      id: idOf,
      context_window: (entry) => facts.get(entry)?.contextWindow ?? null,
      input_usd_per_million: (entry) => facts.get(entry)?.inputUsdPerMillion ?? null,
      output_usd_per_million: (entry) => facts.get(entry)?.outputUsdPerMillion ?? null,
    },
  );
}

function fits(
  { id, provider }: ModelEntry,
  wanted: { readonly provider?: string | undefined; readonly search?: string | undefined },
): boolean {
  const isOf = wanted.provider === undefined || wanted.provider === provider;
  return isOf && (wanted.search === undefined || id.toLowerCase().includes(wanted.search.toLowerCase()));
}

function toModelJson(
  { id, provider, model, dialect }: ModelEntry,
  { contextWindow, inputUsdPerMillion, outputUsdPerMillion }: ModelFacts,
): z.infer<typeof shape> {
  return {
    id,
    provider,
    model,
    dialect,
    context_window: contextWindow,
    input_usd_per_million: inputUsdPerMillion,
    output_usd_per_million: outputUsdPerMillion,
  };
}

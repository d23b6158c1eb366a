import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { ModelEntry } from "../catalogue.ts";
import type { ModelDirectory, ModelFacts } from "../model-facts.ts";

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(512).optional(),
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

/** `GET /api/v1/models`: those the caller may read, in the order of their providers; the cursor is the id of the last one seen. */
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
      const { limit, cursor, ...wanted } = request.query;
      const { caller } = exchangeOf(request);
      const { authorizer } = parts.gates;
      const found = (await parts.models.list()).filter(
        (entry) =>
          caller !== undefined && authorizer.allows(caller, "models.read", entry.id) && fits(entry, wanted),
      );
      const start = cursor === undefined ? 0 : found.findIndex(({ id }) => id === cursor) + 1;
      const page = found.slice(start, start + limit);
      const data = await Promise.all(
        page.map(async (entry) => toModelJson(entry, await parts.models.describe(entry))),
      );
      return { data, next_cursor: start + limit < found.length ? (page.at(-1)?.id ?? null) : null };
    },
  });
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

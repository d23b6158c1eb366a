import { z } from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Provider, Providers } from "../providers/providers.ts";
import { credentialBody, providerShape, toProviderJson } from "./provider-shape.ts";

const params = z.object({ name: z.string().max(63) });
const PATH = "/api/v1/providers/{name}";
const contract = (method: RouteContract["method"], path = PATH): RouteContract => ({
  method,
  path,
  action: "providers.manage",
  openWhileLocked: false,
  family: "api",
});

/** `GET`, `PATCH` and `DELETE /api/v1/providers/{name}`, and `POST …/test`. */
export function providerItemRoutes(
  api: Api,
  parts: { providers: Providers; fetchModels: (provider: Provider) => Promise<readonly string[]> },
): void {
  const { providers } = parts;
  const url = "/api/v1/providers/:name";
  api.route({
    method: "GET",
    url,
    config: { contract: contract("GET") },
    schema: { params, response: { 200: providerShape } },
    handler: async (request) => toProviderJson(await providers.view(request.params.name)),
  });
  api.route({
    method: "PATCH",
    url,
    config: { contract: contract("PATCH") },
    schema: {
      params,
      body: z.strictObject({
        base_url: z.string().max(2048).optional(),
        credentials: z.array(credentialBody).max(16).optional(),
      }),
      response: { 200: providerShape },
    },
    handler: async (request) => {
      const change = {
        baseUrl: request.body.base_url,
        credentials: request.body.credentials?.map(({ value }) => new Secret(value)),
      };
      return toProviderJson(
        await providers.change(request.params.name, change, authorOf(exchangeOf(request))),
      );
    },
  });
  api.route({
    method: "DELETE",
    url,
    config: { contract: contract("DELETE") },
    schema: { params },
    handler: async (request, reply) => {
      await providers.remove(request.params.name, authorOf(exchangeOf(request)));
      return reply.code(204).send();
    },
  });
  api.route({
    method: "POST",
    url: `${url}/test`,
    config: { contract: contract("POST", `${PATH}/test`) },
    schema: { params, response: { 200: z.object({ ok: z.boolean(), error: z.string().optional() }) } },
    handler: async (request) => {
      const { id } = await providers.view(request.params.name);
      const provider = providers.ordered().find((candidate) => candidate.id === id);
      if (provider === undefined) throw new AppError("not_found");
      try {
        await parts.fetchModels(provider);
        return { ok: true };
      } catch (error) {
        if (error instanceof AppError) return { ok: false, error: error.message };
        throw error;
      }
    },
  });
}

import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import { providerContract, providerParams } from "./provider-shape.ts";

/** `DELETE /api/v1/providers/{name}`: 204; its credentials go with it. */
export function removeProviderRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "DELETE",
    url: "/api/v1/providers/:name",
    config: {
      contract: { ...providerContract("DELETE", "/api/v1/providers/{name}"), servedOnLowDisk: true },
    },
    schema: {
      summary: "Remove a provider with its credentials.",
      params: providerParams,
      errors: ["declared_in_file"],
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const exchange = exchangeOf(request);
      authorise(parts.gates, exchange, "providers.manage", name);
      await parts.providers.remove(name, authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

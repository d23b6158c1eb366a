import { authorOf } from "#platform/http/exchange.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import { authoriseCredential, namedCredentialParams } from "./provider-credential-rights.ts";
import { providerContract } from "./provider-shape.ts";

/** `DELETE /api/v1/credentials/{name}`: 204; 409 while a provider of the configuration file refers to it. */
export function removeProviderCredentialRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "DELETE",
    url: "/api/v1/credentials/:name",
    config: {
      contract: { ...providerContract("DELETE", "/api/v1/credentials/{name}"), servedOnLowDisk: true },
    },
    schema: {
      summary: "Remove a secret to which no provider of the configuration file refers.",
      params: namedCredentialParams,
      errors: ["credential_in_use"],
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const exchange = exchangeOf(request);
      authoriseCredential(parts, exchange, name);
      await parts.providers.removeCredential(name, authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Providers } from "../providers/providers.ts";
import { authoriseCredential, namedCredentialParams } from "./provider-credential-rights.ts";
import { credentialExample, credentialValue, providerContract } from "./provider-shape.ts";

const body = z.strictObject({ value: credentialValue });

/** `PUT /api/v1/credentials/{name}`: 204; seals a secret to which providers of the configuration file refer by its name. */
export function setProviderCredentialRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "PUT",
    url: "/api/v1/credentials/:name",
    config: { contract: providerContract("PUT", "/api/v1/credentials/{name}") },
    schema: {
      summary: "Set a secret to which providers of the configuration file refer by its name.",
      params: namedCredentialParams,
      body,
      example: { body: { value: credentialExample.value } },
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const exchange = exchangeOf(request);
      authoriseCredential(parts, exchange, name);
      await parts.providers.setCredential(name, new Secret(request.body.value), authorOf(exchange));
      return reply.code(204).send();
    },
  });
}

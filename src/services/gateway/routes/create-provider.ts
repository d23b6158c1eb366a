import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { Secret } from "#platform/lib/secret.ts";
import { PROVIDER_KINDS } from "../providers/kind.ts";
import { providerOptions } from "../providers/options.ts";
import type { Providers } from "../providers/providers.ts";
import {
  credentialBody,
  credentialExample,
  providerContract,
  providerExample,
  providerShape,
  toProviderJson,
} from "./provider-shape.ts";

const body = z
  .strictObject({
    name: resourceName,
    kind: z.enum(PROVIDER_KINDS),
    base_url: z.string().max(2048).optional(),
    options: providerOptions.optional(),
    credentials: z.array(credentialBody).max(16).default([]),
  })
  .meta({ id: "NewProvider" });

/** `POST /api/v1/providers`: 201 with the provider; 409 when the name is taken. */
export function createProviderRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "POST",
    url: "/api/v1/providers",
    config: { contract: providerContract("POST", "/api/v1/providers") },
    schema: {
      summary: "Add a provider with its credentials.",
      body,
      response: { 201: providerShape },
      example: {
        body: {
          name: providerExample.name,
          kind: providerExample.kind,
          options: providerExample.options,
          credentials: [credentialExample],
        },
        answer: providerExample,
      },
      errors: ["conflict", "base_url_denied"],
    },
    handler: async (request, reply) => {
      const { name, kind, base_url: baseUrl, options, credentials } = request.body;
      const exchange = exchangeOf(request);
      authorise(parts.gates, exchange, "providers.manage", name);
      const wanted = {
        name,
        kind,
        baseUrl,
        options,
        credentials: credentials.map(({ value }) => new Secret(value)),
      };
      return reply.code(201).send(toProviderJson(await parts.providers.create(wanted, authorOf(exchange))));
    },
  });
}

import * as z from "zod";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Provider, Providers } from "../providers/providers.ts";
import type { ProviderAnswer } from "../upstream-test.ts";
import { providerContract, providerParams } from "./provider-shape.ts";

const verdict = z.object({
  ok: z.boolean(),
  /** How long the answer took. */
  latency_ms: z.number().optional(),
  /** How many models it lists; left out of kind `http`. */
  models: z.number().optional(),
  /** Why it does not work. */
  error: z.string().optional(),
});

/** `POST /api/v1/providers/{name}/test`: asks the upstream for something harmless; 200 also when that fails, then with the reason. */
export function testProviderRoute(
  api: Api,
  parts: {
    gates: Gates;
    providers: Providers;
    test: (provider: Provider) => Promise<ProviderAnswer>;
  },
): void {
  api.route({
    method: "POST",
    url: "/api/v1/providers/:name/test",
    config: { contract: providerContract("POST", "/api/v1/providers/{name}/test") },
    schema: {
      summary: "Ask the provider for something harmless; `ok` tells whether it answered.",
      params: providerParams,
      response: { 200: verdict },
      example: { answer: { ok: true, latency_ms: 184, models: 12 } },
    },
    handler: async (request) => {
      const { name } = request.params;
      authorise(parts.gates, exchangeOf(request), "providers.manage", name);
      const provider = parts.providers.byName(name);
      if (provider === undefined) throw new AppError("not_found", `There is no provider named ${name}.`);
      try {
        const { latencyMs, models } = await parts.test(provider);
        return { ok: true, latency_ms: latencyMs, ...(models !== null && { models }) };
      } catch (error) {
        if (error instanceof AppError) return { ok: false, error: reasonOf(error) };
        throw error;
      }
    },
  });
}

/** Who may manage a provider is told which credential is missing, and how it is set. */
function reasonOf({ code, message, detail }: AppError): string {
  return code === "credential_missing" ? (detail ?? message) : message;
}

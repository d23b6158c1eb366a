import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { baseUrlText } from "../providers/kind.ts";
import { providerOptions } from "../providers/options.ts";
import type { ProviderView } from "../providers/providers.ts";

/** The contract of a provider route; its handler authorises once more, with the provider's name. */
export function providerContract(method: RouteContract["method"], path: string): RouteContract {
  return { method, path, action: "providers.manage", openWhileLocked: false, family: "api" };
}

export const providerParams = z.object({ name: z.string().max(63) });

/** The text of a credential; header-safe printable ASCII, because it goes into a header. */
export const credentialValue = z
  .string()
  .min(1)
  .max(8192)
  .regex(/^[\x21-\x7e]+$/, "a credential is printable ASCII without spaces");

/** A credential as it is entered. */
export const credentialBody = z.strictObject({ type: z.literal("api_key"), value: credentialValue });

/** A provider on the API: its credentials show as id, type and hint only. */
export const providerShape = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    base_url: z.string(),
    options: providerOptions,
    /** What the configuration file declares is read-only here. */
    source: z.enum(["file", "store"]),
    created_at: z.string(),
    credentials: z.array(z.object({ id: z.string(), type: z.string(), hint: z.string() })),
    /** Why some of its credentials cannot be used, and how to repair that; left out where all can. */
    problems: z.array(z.string()).optional(),
  })
  .meta({ id: "Provider" });

/** For the API's description. */
export const providerExample = {
  id: "prov_4fT0qJ7c2LxVb1Ws",
  name: "openai",
  kind: "openai",
  base_url: "https://api.openai.com/v1",
  options: { headers_timeout_ms: 30_000 },
  source: "store",
  created_at: "2026-01-01T00:00:00.000Z",
  credentials: [{ id: "cred_9aB8cD7eF6gH5iJ4", type: "api_key", hint: "word" }],
} satisfies z.infer<typeof providerShape>;

/** The same, as it is entered. */
export const credentialExample = { type: "api_key", value: "the-providers-own-key-or-password" } as const;

export function toProviderJson(provider: ProviderView): z.infer<typeof providerShape> {
  const problems = provider.credentials.flatMap(({ problem }) => problem ?? []);
  return {
    id: provider.id,
    name: provider.name,
    kind: provider.kind,
    base_url: baseUrlText(provider.baseUrl),
    options: provider.options,
    source: provider.source,
    created_at: toTimestamp(provider.createdAt),
    credentials: provider.credentials.map(({ id, type, hint }) => ({ id, type, hint })),
    ...(problems.length === 0 ? {} : { problems }),
  };
}

import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Provider, Providers } from "../providers/providers.ts";
import { createProviderRoute } from "./create-provider.ts";
import { listProvidersRoute } from "./list-providers.ts";
import { listRequestsRoute } from "./list-requests.ts";
import { providerItemRoutes } from "./provider-item.ts";

/** The gateway's part of the API: its providers and its request rows. */
export function gatewayApiRoutes(
  api: Api,
  parts: {
    providers: Providers;
    fetchModels: (provider: Provider) => Promise<readonly string[]>;
    database: Database;
    flush: () => Promise<void>;
  },
): void {
  createProviderRoute(api, parts.providers);
  listProvidersRoute(api, parts.providers);
  providerItemRoutes(api, parts);
  listRequestsRoute(api, parts);
}

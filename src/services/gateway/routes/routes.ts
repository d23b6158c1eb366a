import type { Gates } from "#platform/http/pipeline.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import type { ModelDirectory } from "../model-facts.ts";
import { overviewRoute } from "../overview/routes/get-overview.ts";
import { overviewTopRoute } from "../overview/routes/get-overview-top.ts";
import { listPrincipalsRoute } from "../principals/routes/list-principals.ts";
import type { NamedIdentity } from "../principals/store.ts";
import type { Provider, Providers } from "../providers/providers.ts";
import type { ProviderAnswer } from "../upstream-test.ts";
import { usageRoute } from "../usage/routes/get-usage.ts";
import { changeProviderRoute } from "./change-provider.ts";
import { createProviderRoute } from "./create-provider.ts";
import { getProviderRoute } from "./get-provider.ts";
import { listModelsRoute } from "./list-models.ts";
import { listProviderCredentialsRoute } from "./list-provider-credentials.ts";
import { listProvidersRoute } from "./list-providers.ts";
import { listRequestsRoute } from "./list-requests.ts";
import { removeProviderRoute } from "./remove-provider.ts";
import { removeProviderCredentialRoute } from "./remove-provider-credential.ts";
import { setProviderCredentialRoute } from "./set-provider-credential.ts";
import { testProviderRoute } from "./test-provider.ts";

/** The gateway's part of the API: its providers, its request rows and their sums. */
export function gatewayApiRoutes(
  api: Api,
  parts: {
    gates: Gates;
    providers: Providers;
    test: (provider: Provider) => Promise<ProviderAnswer>;
    models: ModelDirectory;
    database: Database;
    clock: Clock;
    flush: () => Promise<void>;
    identities: () => readonly NamedIdentity[];
  },
): void {
  createProviderRoute(api, parts);
  listProvidersRoute(api, parts);
  getProviderRoute(api, parts);
  changeProviderRoute(api, parts);
  removeProviderRoute(api, parts);
  testProviderRoute(api, parts);
  setProviderCredentialRoute(api, parts);
  listProviderCredentialsRoute(api, parts);
  removeProviderCredentialRoute(api, parts);
  listModelsRoute(api, parts);
  listRequestsRoute(api, parts);
  listPrincipalsRoute(api, parts);
  usageRoute(api, parts);
  overviewRoute(api, parts);
  overviewTopRoute(api, parts);
}

export { type Gateway, openGateway } from "./open-gateway.ts";
export type { DeclaredProvider } from "./providers/declared-provider.ts";
export { kindsByName } from "./providers/kind.ts";
export { providerResourceKind } from "./providers/provider-resource-kind.ts";
export { openProviders, type Provider } from "./providers/providers.ts";
export { gatewayApiRoutes } from "./routes/routes.ts";
export { RollUp } from "./sums/roll-up.ts";
export { fetchUpstreamModels } from "./upstream-models.ts";

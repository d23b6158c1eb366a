export { Catalogue } from "./catalogue.ts";
export { createGateway } from "./gateway.ts";
export { openPrices } from "./prices/prices.ts";
export { openProviders } from "./providers/providers.ts";
export { RequestLog } from "./requests/request-log.ts";
export { gatewayApiRoutes } from "./routes/routes.ts";
export { RunningRequests } from "./running.ts";
export { fetchUpstreamModels } from "./upstream-models.ts";

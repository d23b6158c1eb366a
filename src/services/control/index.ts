export { configRoutes, type ReloadReport, type RunningConfig } from "./config-routes.ts";
export { beginFirstRun } from "./first-run.ts";
export { firstRunRoutes } from "./first-run-routes.ts";
export { infoRoutes } from "./info-routes.ts";
export { metricsRoute } from "./metrics-route.ts";
export { openapiRoute } from "./openapi-route.ts";
export { sseRoute } from "./sse.ts";
export { EventStreams } from "./sse-streams.ts";

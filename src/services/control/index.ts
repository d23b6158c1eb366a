export { beginFirstRun, FirstRun } from "./first-run.ts";
export { firstRunRoutes } from "./first-run-routes.ts";
export { infoRoutes } from "./info-routes.ts";
export { metricsRoute } from "./metrics-route.ts";
export { openapiRoute } from "./openapi-route.ts";
export { type ReloadReport, reloadRoute } from "./reload-route.ts";
export { type SettingsInForce, settingsRoute } from "./settings-route.ts";
export { sseRoute } from "./sse.ts";
export { EventStreams } from "./sse-streams.ts";

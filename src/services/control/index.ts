export { infoRoutes } from "./info-routes.ts";
export { metricsRoute } from "./metrics-route.ts";
export { controlSocketPath, prepareControlSocket } from "./socket-path.ts";

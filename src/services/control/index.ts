export { infoRoutes } from "./info-routes.ts";
export { controlSocketPath, prepareControlSocket } from "./socket-path.ts";

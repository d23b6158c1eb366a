import type { Api } from "#platform/http/server.ts";
import type { FleetParts } from "./fleet-parts.ts";
import { PastTokens } from "./past-tokens.ts";
import { lockRoutes } from "./routes/lock-routes.ts";
import { memberRoutes } from "./routes/member-routes.ts";
import { pinRoutes } from "./routes/pin-routes.ts";

/** What an operator does with all nodes of the cluster; it gives the way to declare its routes. */
export function openFleet(parts: FleetParts): (api: Api) => void {
  const tokens = new PastTokens(parts.cluster);
  return (api) => {
    lockRoutes(api, parts);
    memberRoutes(api, parts);
    pinRoutes(api, { ...parts, tokens });
  };
}

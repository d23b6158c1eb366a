import type { RouteContract } from "#platform/http/route.ts";
import { HTTP_METHODS } from "./http-methods.ts";

/** One route of every published API a method; `OPTIONS` is none that an API publishes, and is answered so. */
export const HTTP_API_CONTRACTS: readonly RouteContract[] = [...HTTP_METHODS, "OPTIONS" as const].map(
  (method) => ({
    method,
    path: "/x/{name}/*",
    action: "gateway.use",
    openWhileLocked: false,
    family: "gateway",
    described: {
      summary: "Call a published HTTP API; what follows its name is the upstream's own path.",
      dialects: ["openai"],
      bodies: method === "GET" || method === "HEAD" || method === "OPTIONS" ? [] : ["*/*"],
    },
  }),
);

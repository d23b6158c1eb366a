import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import type { Api } from "#platform/http/server.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";

const METRICS: RouteContract = {
  method: "GET",
  path: "/metrics",
  action: "metrics.read",
  // A locked server is what an operator most wants to be told of.
  openWhileLocked: true,
  family: "api",
};

/** What the server tells Prometheus, to whoever holds `metrics.read`. */
export function metricsRoute(api: Api, metrics: Pick<Metrics, "text" | "contentType">): void {
  api.route({
    method: METRICS.method,
    url: METRICS.path,
    exposeHeadRoute: false,
    config: { contract: METRICS },
    schema: {
      summary: "Tell Prometheus what was counted.",
      response: { 200: { content: { "text/plain": { schema: z.string() } } } },
      example: { answer: 'claviger_http_requests_total{route="/health",method="GET",status="2xx"} 1\n' },
    },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
}

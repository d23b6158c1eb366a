import * as z from "zod";
import { answerHeaders } from "#platform/http/api-error.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { parseTypes } from "./sse-filter.ts";
import { EVENT_ACTION, type EventStreams } from "./sse-streams.ts";

const SSE: RouteContract = {
  method: "GET",
  path: "/sse",
  action: EVENT_ACTION,
  openWhileLocked: false,
  family: "api",
};

const HEADERS = {
  "content-type": "text/event-stream",
  // nginx holds an answer back otherwise (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering).
  "x-accel-buffering": "no",
} as const;

/** `GET /sse`: what happens on this server, as it happens; `Last-Event-ID` goes on where a reader was cut off. */
export function sseRoute(api: Api, streams: EventStreams): void {
  api.route({
    method: SSE.method,
    url: SSE.path,
    exposeHeadRoute: false,
    config: { contract: SSE },
    schema: {
      summary: "What happens on this server, as it happens.",
      querystring: z.strictObject({ types: z.string().max(512).optional() }),
    },
    handler: async (request, reply) => {
      const exchange = exchangeOf(request);
      const { caller } = exchange;
      if (caller === undefined) throw new Error("events are for known callers");
      const wants = parseTypes(request.query.types);
      streams.admit(caller);
      const from = request.headers["last-event-id"]?.toString();
      reply.hijack();
      reply.raw.writeHead(200, { ...answerHeaders(exchange), ...HEADERS });
      streams.open(reply.raw, { caller, wants, from });
    },
  });
}

import * as z from "zod";
import { authorOf, type ChangeAuthor } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { clusterContract } from "../../routes/cluster-shape.ts";

const PATH = "/api/v1/cluster/open";
const opened = z.object({ joining_open_until: z.string() }).meta({ id: "JoiningOpen" });

/** `POST /api/v1/cluster/open`: other servers may join for 15 minutes, by 20 runs; whatever was used up before. */
export function openJoiningRoute(api: Api, open: (by: ChangeAuthor) => Promise<number>): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: clusterContract("POST", PATH, "cluster.manage", "cluster.open") },
    schema: {
      summary: "Open joining for 15 minutes, with 20 tries of the PIN.",
      response: { 200: opened },
      example: { answer: { joining_open_until: "2026-01-01T12:15:00.000Z" } },
      errors: ["cluster_closed"],
    },
    handler: async (request) => ({
      joining_open_until: toTimestamp(await open(authorOf(exchangeOf(request)))),
    }),
  });
}

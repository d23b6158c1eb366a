import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Cluster } from "../cluster.ts";
import { parsePin } from "../pin.ts";
import {
  clusterAnswer,
  clusterContract,
  clusterShape,
  OPEN_CLUSTER as EXAMPLE,
  type JoiningTold,
} from "./cluster-shape.ts";

const PATH = "/api/v1/cluster/init";
const body = z.strictObject({ pin: z.string("a PIN is a text of digits") }).meta({ id: "NewCluster" });

/** `POST /api/v1/cluster/init`: 201; 400 `pin_refused` with the reason, 409 where this server is in a cluster. */
export function initClusterRoute(api: Api, cluster: Pick<Cluster, "init">, told: JoiningTold): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: clusterContract("POST", PATH, "cluster.manage", "cluster.init") },
    schema: {
      summary: "Begin a cluster with a PIN, of which this server is the first member.",
      body,
      response: { 201: clusterShape },
      example: {
        body: { pin: "739264" },
        answer: EXAMPLE,
      },
      errors: ["pin_refused", "cluster_exists", "cluster_closed"],
    },
    handler: async (request, reply) => {
      const parsed = parsePin(request.body.pin);
      if (!parsed.ok) throw new AppError("pin_refused", parsed.reason);
      const credentials = await cluster.init(parsed.pin, authorOf(exchangeOf(request)));
      return reply.code(201).send(clusterAnswer({ status: "member", credentials }, told));
    },
  });
}

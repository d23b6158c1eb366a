import type { Api } from "#platform/http/server.ts";
import type { Cluster } from "../cluster.ts";
import {
  clusterAnswer,
  clusterContract,
  clusterShape,
  OPEN_CLUSTER as EXAMPLE,
  type JoiningTold,
} from "./cluster-shape.ts";

const PATH = "/api/v1/cluster";

/** `GET /api/v1/cluster`: whether this server is in a cluster. */
export function clusterStatusRoute(api: Api, cluster: Pick<Cluster, "state">, told: JoiningTold): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: clusterContract("GET", PATH, "nodes.read") },
    schema: {
      summary: "Tell whether this server is in a cluster.",
      response: { 200: clusterShape },
      example: { answer: EXAMPLE },
    },
    handler: async () => clusterAnswer(cluster.state(), told),
  });
}

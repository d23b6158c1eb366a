import type { Api } from "#platform/http/server.ts";
import type { Cluster } from "../cluster.ts";
import { clusterStatusRoute } from "./cluster-status.ts";
import { initClusterRoute } from "./init-cluster.ts";

/** The API of the cluster: `/api/v1/cluster`; `openUntilMs` is when joining closes, undefined where it is closed. */
export function clusterRoutes(api: Api, cluster: Cluster, openUntilMs: () => number | undefined): void {
  clusterStatusRoute(api, cluster, openUntilMs);
  initClusterRoute(api, cluster, openUntilMs);
}

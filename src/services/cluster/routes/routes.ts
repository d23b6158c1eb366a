import type { Api } from "#platform/http/server.ts";
import type { Cluster } from "../cluster.ts";
import type { JoiningTold } from "./cluster-shape.ts";
import { clusterStatusRoute } from "./cluster-status.ts";
import { discoverMembersRoute } from "./discover-members.ts";
import { initClusterRoute } from "./init-cluster.ts";

/** The API of the cluster: `/api/v1/cluster`; `mayAskNetwork` is whether this server may look for members. */
export function clusterRoutes(
  api: Api,
  {
    cluster,
    told,
    mayAskNetwork,
  }: {
    readonly cluster: Cluster;
    readonly told: JoiningTold;
    readonly mayAskNetwork: boolean;
  },
): void {
  clusterStatusRoute(api, cluster, told);
  initClusterRoute(api, cluster, told);
  discoverMembersRoute(api, mayAskNetwork);
}

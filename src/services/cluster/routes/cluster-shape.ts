import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import type { ClusterState } from "../cluster.ts";

/** Whether this server is in a cluster, and in which; why it is not used is in the log. */
export const clusterShape = z
  .object({
    status: z.enum(["none", "closed", "member"]),
    cluster_id: z.string().nullable(),
    epoch: z.number().nullable(),
    joining_open_until: z.string().nullable().describe("Null while no other server may join here."),
  })
  .meta({ id: "Cluster" });

/** The state as it is answered; `openUntilMs` is when joining closes, where it is open. */
export function clusterAnswer(
  state: ClusterState,
  openUntilMs: number | undefined,
): z.infer<typeof clusterShape> {
  if (state.status !== "member")
    return { status: state.status, cluster_id: null, epoch: null, joining_open_until: null };
  const { clusterId, epoch } = state.credentials;
  const until = openUntilMs === undefined ? null : toTimestamp(openUntilMs);
  return { status: "member", cluster_id: clusterId, epoch, joining_open_until: until };
}

/** What a member answers that others may join. */
export const OPEN_CLUSTER: z.infer<typeof clusterShape> = {
  status: "member",
  cluster_id: "cluster_5gJ2mQ8vXbT1nRwZ",
  epoch: 1,
  joining_open_until: "2026-01-01T12:15:00.000Z",
};

/** Nothing of a cluster is done while the server is locked. */
export function clusterContract(
  method: RouteContract["method"],
  path: string,
  action: "cluster.manage" | "cluster.lock" | "nodes.read",
  audited?: string,
): RouteContract {
  const contract = { method, path, action, openWhileLocked: false, family: "api" } as const;
  return audited === undefined ? contract : { ...contract, audited };
}

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
    tries_left: z
      .number()
      .nullable()
      .describe("Joins that may still end without the right PIN, as far as this server knows."),
    join_urls: z
      .array(z.string())
      .describe("Where other servers reach this one to join; none without a TLS listener that lets them."),
  })
  .meta({ id: "Cluster" });

/** What is told of joining beside the state of the cluster. */
export interface JoiningTold {
  /** When joining closes, in milliseconds since the Unix epoch; undefined where it is closed. */
  openUntilMs(): number | undefined;
  triesLeft(): number;
  joinUrls(): readonly string[];
}

/** The state as it is answered. */
export function clusterAnswer(state: ClusterState, told: JoiningTold): z.infer<typeof clusterShape> {
  const open = state.status === "member" ? told.openUntilMs() : undefined;
  return {
    status: state.status,
    cluster_id: state.status === "member" ? state.credentials.clusterId : null,
    epoch: state.status === "member" ? state.credentials.epoch : null,
    joining_open_until: open === undefined ? null : toTimestamp(open),
    tries_left: open === undefined ? null : told.triesLeft(),
    join_urls: [...told.joinUrls()],
  };
}

/** What a member answers that others may join. */
export const OPEN_CLUSTER: z.infer<typeof clusterShape> = {
  status: "member",
  cluster_id: "cluster_5gJ2mQ8vXbT1nRwZ",
  epoch: 1,
  joining_open_until: "2026-01-01T12:15:00.000Z",
  tries_left: 20,
  join_urls: ["https://192.168.1.20:8442"],
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

import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { nodeContract } from "../../members/node-route.ts";
import { clusterContract } from "../../routes/cluster-shape.ts";
import type { FleetParts } from "../fleet-parts.ts";
import { LOCK_REASONS, lockAnswer, lockFleet, lockOwn } from "../lock-fleet.ts";

const PATH = "/api/v1/cluster/lock";
const NODE_PATH = "/cluster/lock";
const node = z
  .object({
    id: z.string(),
    name: z.string(),
    locked: z.boolean(),
    reason: z.enum(LOCK_REASONS).nullable().describe("Why it is not locked."),
  })
  .meta({ id: "LockedNode" });
const example = { id: "node_0123456789abcdef", name: "box", locked: true, reason: null };

/**
 * `POST /api/v1/cluster/lock`: 200 with each node and whether it is locked; `POST /cluster/lock`, by which another member
 * locks this one.
 */
export function lockRoutes(api: Api, parts: FleetParts): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: { ...clusterContract("POST", PATH, "cluster.lock"), servedOnLowDisk: true } },
    schema: {
      summary: "Lock all nodes of the cluster at once; says which are locked, and why others are not.",
      response: { 200: z.object({ data: z.array(node), next_cursor: z.null() }) },
      example: { answer: { data: [example], next_cursor: null } },
      errors: ["cluster_closed"],
    },
    handler: async (request) => ({
      data: await lockFleet(parts, authorOf(exchangeOf(request))),
      next_cursor: null,
    }),
  });
  api.route({
    method: "POST",
    url: NODE_PATH,
    config: {
      contract: { ...nodeContract(NODE_PATH, "member"), audited: "key.lock", servedOnLowDisk: true },
    },
    schema: {
      summary: "Lock this server, by another node of its cluster.",
      body: z.strictObject({}),
      response: { 200: lockAnswer },
      example: { body: {}, answer: { locked: true, reason: null } },
    },
    handler: (request) => lockOwn(parts.seal, authorOf(exchangeOf(request))),
  });
}

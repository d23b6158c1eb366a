import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { nodeName } from "../../members/member-record.ts";
import { callerNode, nodeContract } from "../../members/node-route.ts";
import { clusterContract } from "../../routes/cluster-shape.ts";
import type { FleetParts } from "../fleet-parts.ts";
import { GOODBYE, goodbye, hearGoodbye, leaveCluster } from "../leave.ts";
import { removeNode, renameNode } from "../rename.ts";

const LEAVE = "/api/v1/cluster/leave";
const RENAME = "/api/v1/cluster/rename";
const NODE = "/api/v1/nodes/{id}";
const LONGEST_ID = 64;
const named = z.object({ id: z.string(), name: z.string() }).meta({ id: "NamedNode" });
const left = z
  .object({
    cluster_id: z.string().nullable().describe("Null where the credential files did not say."),
    not_told: z.array(named).describe("The nodes that do not know of it yet."),
  })
  .meta({ id: "LeftCluster" });
const LEFT_RECORD = {
  id: "node_0123456789abcdef",
  name: "box",
  urls: ["https://192.168.1.20:8442"],
  node_key: "MCowBQYDK2VwAyEACgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCk",
  tls_keys: ["Yw0hNdk3Zr0sXa9vQm1TgW5bYd7Ap1MzXcd9KsPob7Q"],
  admission: 1,
  seq: 4,
  left: true,
};
const EXAMPLE = { id: "node_0123456789abcdef", name: "box" };

/** `POST /api/v1/cluster/leave` (and `POST /cluster/leave` by which a node is told), `POST /api/v1/cluster/rename`, `DELETE /api/v1/nodes/{id}`: who is in the cluster. */
export function memberRoutes(api: Api, parts: FleetParts): void {
  leaveRoute(api, parts);
  goodbyeRoute(api, parts);
  renameRoute(api, parts);
  api.route({
    method: "DELETE",
    url: "/api/v1/nodes/:id",
    config: {
      contract: {
        ...clusterContract("DELETE", NODE, "cluster.manage", "cluster.remove"),
        servedOnLowDisk: true,
      },
    },
    schema: {
      summary:
        "Take another node off the list, for all members; a device that was lost still has the PIN's salt.",
      params: z.object({ id: z.string().max(LONGEST_ID) }),
      response: { 200: named },
      example: { answer: EXAMPLE },
      errors: ["not_found", "cluster_closed"],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      exchange.target = request.params.id;
      const { id, name } = await removeNode(parts, request.params.id, authorOf(exchange));
      return { id, name };
    },
  });
}

function leaveRoute(api: Api, parts: FleetParts): void {
  api.route({
    method: "POST",
    url: LEAVE,
    config: { contract: clusterContract("POST", LEAVE, "cluster.manage", "cluster.leave") },
    schema: {
      summary:
        "Have this server leave its cluster: the other nodes are told, then its credential files are removed.",
      response: { 200: left },
      example: { answer: { cluster_id: "cluster_5gJ2mQ8vXbT1nRwZ", not_told: [] } },
      errors: ["cluster_closed"],
    },
    handler: async (request) => {
      const { clusterId, notTold } = await leaveCluster(parts, authorOf(exchangeOf(request)));
      return { cluster_id: clusterId, not_told: notTold.map(({ id, name }) => ({ id, name })) };
    },
  });
}

function goodbyeRoute(api: Api, { roster }: FleetParts): void {
  api.route({
    method: "POST",
    url: GOODBYE,
    config: { contract: { ...nodeContract(GOODBYE, "member"), servedOnLowDisk: true } },
    schema: {
      summary: "Say that the node that asks leaves the cluster, or that the one that is asked was removed.",
      body: goodbye,
      response: { 200: z.object({}) },
      example: { body: { record: LEFT_RECORD }, answer: {} },
    },
    handler: async (request) => {
      await hearGoodbye(roster, callerNode(request).id, request.body);
      return {};
    },
  });
}

function renameRoute(api: Api, parts: FleetParts): void {
  api.route({
    method: "POST",
    url: RENAME,
    config: { contract: clusterContract("POST", RENAME, "cluster.manage", "cluster.rename") },
    schema: {
      summary: "Give this node another name in its cluster.",
      body: z.strictObject({ name: nodeName }).meta({ id: "NodeName" }),
      response: { 200: named },
      example: { body: { name: EXAMPLE.name }, answer: EXAMPLE },
      errors: ["node_exists", "cluster_closed"],
    },
    handler: async (request) => {
      const { id, name } = await renameNode(parts, request.body.name, authorOf(exchangeOf(request)));
      return { id, name };
    },
  });
}

import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { callerNode, nodeContract } from "../../members/node-route.ts";
import { clusterContract } from "../../routes/cluster-shape.ts";
import type { FleetParts } from "../fleet-parts.ts";
import type { PastTokens } from "../past-tokens.ts";
import { PIN_REASONS, propagatePin, takeAnswer } from "../propagate.ts";
import { takePin } from "../take-pin.ts";

const PATH = "/api/v1/cluster/propagate";
const NODE_PATH = "/cluster/credentials";
const MOST_SEALED = 8;
const LONGEST_SEALED = 16 * 1024;
const node = z
  .object({
    id: z.string(),
    name: z.string(),
    taken: z.boolean().describe("Whether it has this node's PIN now."),
    reason: z.enum(PIN_REASONS).nullable().describe("Why it has not."),
  })
  .meta({ id: "ToldNode" });
const sealedChange = z
  .string()
  .max(LONGEST_SEALED)
  .regex(/^[A-Za-z0-9_-]+$/, "must be base64url");

/**
 * `POST /api/v1/cluster/propagate`: gives the other nodes the PIN that was set here; `POST /cluster/credentials`, by which
 * another member gives this one its PIN.
 */
export function pinRoutes(api: Api, parts: FleetParts & { readonly tokens: PastTokens }): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: clusterContract("POST", PATH, "cluster.manage", "cluster.propagate") },
    schema: {
      summary: "Give the other nodes the PIN that was set on this one; says which have it.",
      response: { 200: z.object({ data: z.array(node), next_cursor: z.null() }) },
      example: {
        answer: {
          data: [{ id: "node_0123456789abcdef", name: "box", taken: true, reason: null }],
          next_cursor: null,
        },
      },
      errors: ["cluster_closed"],
    },
    handler: async (request) => ({
      data: await propagatePin(parts, authorOf(exchangeOf(request))),
      next_cursor: null,
    }),
  });
  api.route({
    method: "POST",
    url: NODE_PATH,
    // Who gives it has a newer PIN than this node, so that no proof of one's own PIN can be asked for.
    config: { contract: { ...nodeContract(NODE_PATH, "greet"), audited: "cluster.pin.reset" } },
    schema: {
      summary: "Take over the PIN of another node of the cluster; docs/formats/pin-change.md lays it out.",
      body: z.strictObject({ sealed: z.array(sealedChange).max(MOST_SEALED) }),
      response: { 200: takeAnswer },
      example: { body: { sealed: ["b7QeRk"] }, answer: { taken: true, epoch: 1, pin_generation: 2 } },
      errors: ["needs_pin", "cluster_closed", "storage_full"],
    },
    handler: (request) => {
      const { sealed } = request.body;
      const from = callerNode(request).id;
      return takePin(parts, { from, sealed }, authorOf(exchangeOf(request)));
    },
  });
}

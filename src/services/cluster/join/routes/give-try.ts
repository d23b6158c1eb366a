import type { Api } from "#platform/http/server.ts";
import { callerNode, nodeContract } from "../../members/node-route.ts";
import type { JoinBudget } from "../budget.ts";
import { JOIN_TRIES, JOINING_OPEN_MS } from "../shares.ts";
import { TRIES_PATH, triesAsked, triesGiven } from "../tries.ts";

const NODE = "node_3nB8sXwQ7kLmP2rT";
const TERM = { number: 3, opener: NODE, members: [NODE], open_ms: JOINING_OPEN_MS };

/** `POST /cluster/budget`: another member asks for a try of joining, or only whether this one is there. */
export function giveTryRoute(api: Api, budget: Pick<JoinBudget, "give">): void {
  api.route({
    method: "POST",
    url: TRIES_PATH,
    config: { contract: nodeContract(TRIES_PATH, "member") },
    schema: {
      summary: "Give another member of the cluster one of this one's tries of joining.",
      body: triesAsked,
      response: { 200: triesGiven },
      example: {
        body: { term: { ...TERM, held: 0 }, wants: true },
        answer: { term: { ...TERM, held: JOIN_TRIES - 1 }, given: true },
      },
      errors: ["cluster_closed", "storage_full"],
    },
    handler: (request) => budget.give(callerNode(request).id, request.body),
  });
}

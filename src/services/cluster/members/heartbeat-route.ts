import type { Api } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import { type Greeting, greetingShape } from "./greeting.ts";
import { callerNode, nodeContract } from "./node-route.ts";
import type { GreetedPresence } from "./presence.ts";

const PATH = "/cluster/heartbeat";
const BODY_LIMIT_BYTES = 512 * 1024;
const DIGEST = "Yw0hNdk3Zr0sXa9vQm1TgW5bYd7Ap1MzXcd9KsPob7Q";
const example = {
  presence: {
    version: "0.1.0",
    unlocked: true,
    models_digest: DIGEST,
    epoch: 1,
    pin_generation: 1,
  },
  list_digest: DIGEST,
} satisfies Greeting;

/** `POST /cluster/heartbeat`: what another node tells of itself and of the nodes it knows, answered alike. */
export function heartbeatRoute(api: Api, presence: GreetedPresence): void {
  api.route({
    method: "POST",
    url: PATH,
    bodyLimit: BODY_LIMIT_BYTES,
    config: { contract: { ...nodeContract(PATH, "greet"), servedOnLowDisk: true } },
    schema: {
      summary: "Greet another node of the cluster: what this one is, and which nodes it knows.",
      body: greetingShape,
      response: { 200: greetingShape },
      example: { body: example, answer: example },
      errors: ["cluster_closed"],
    },
    handler: async (request) => {
      const { id, hasPin } = callerNode(request);
      await presence.hear(id, request.body, hasPin);
      const greeting = presence.heartbeats.greetingFor(id);
      if (greeting === undefined) throw new AppError("cluster_closed");
      return greeting;
    },
  });
}

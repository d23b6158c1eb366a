import type { Api } from "#platform/http/server.ts";
import type { ServerKey } from "../server-key.ts";
import { openContract, statusShape } from "./key-shape.ts";

const PATH = "/api/v1/key/status";

/** `GET /api/v1/key/status`: always, for everyone, and nothing more than this. */
export function keyStatusRoute(api: Api, serverKey: Pick<ServerKey, "status">): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: openContract(PATH) },
    schema: {
      summary: "Tell whether the server key is set and the server unlocked.",
      response: { 200: statusShape },
      example: { answer: { initialized: true, unlocked: true } },
    },
    handler: async () => serverKey.status(),
  });
}

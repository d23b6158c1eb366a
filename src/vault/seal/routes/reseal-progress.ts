import type { Api } from "#platform/http/server.ts";
import type { ServerKey } from "../server-key.ts";
import { keyContract, progressShape } from "./key-shape.ts";

const PATH = "/api/v1/key/reseal";

/** `GET /api/v1/key/reseal`: how far the re-sealing after a rotation is; of the last one when none runs. */
export function resealProgressRoute(api: Api, parts: { readonly seal: ServerKey }): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: keyContract("GET", PATH, undefined) },
    schema: {
      summary: "Tell how far the re-sealing of the stored secrets is.",
      response: { 200: progressShape },
      example: { answer: { running: true, done: 1200, total: 100_000 } },
    },
    handler: async () => parts.seal.resealProgress(),
  });
}

import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { ServerKey } from "../server-key.ts";
import { guardedContract, keyText, serverKey, statusShape } from "./key-shape.ts";

const PATH = "/api/v1/key/initialize";
const body = z
  .strictObject({ key: keyText, recovery: z.boolean("recovery is true or false").default(false) })
  .meta({ id: "NewServerKey" });
const answer = statusShape
  .extend({ recovery_key: z.string().optional() })
  .meta({ id: "InitializedServerKey" });

/** `POST /api/v1/key/initialize`: 200, with the recovery key shown this once where one was asked for; 409 when one is set. */
export function initializeKeyRoute(api: Api, parts: { readonly seal: ServerKey }): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: guardedContract("POST", PATH, "key.initialize") },
    schema: {
      summary: "Set the server key, which every later start asks for.",
      body,
      response: { 200: answer },
      example: {
        body: { key: "an example of a server key", recovery: true },
        answer: { initialized: true, unlocked: true, recovery_key: "…" },
      },
      errors: ["key_too_short", "key_too_long", "key_initialized", "seal_busy"],
    },
    handler: async (request) => {
      const { key, recovery } = request.body;
      const by = authorOf(exchangeOf(request));
      const { recoveryKey } = await parts.seal.initialize(serverKey(key), { recovery, by });
      const status = parts.seal.status();
      return recoveryKey === undefined ? status : { ...status, recovery_key: recoveryKey.expose() };
    },
  });
}

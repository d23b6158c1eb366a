import * as z from "zod";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { ServerKey } from "../server-key.ts";
import type { KeyChecks } from "./key-checks.ts";
import { keyContract, keyText, serverKey, statusShape } from "./key-shape.ts";

const PATH = "/api/v1/key/unlock";
const body = z.strictObject({ key: keyText }).meta({ id: "ServerKey" });

/** `POST /api/v1/key/unlock`: 200, also when it was unlocked; 403 `wrong_key`, and nothing changed; 400 when none is set. */
export function unlockKeyRoute(
  api: Api,
  parts: { readonly seal: ServerKey; readonly checks: KeyChecks },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: { ...keyContract("POST", PATH, "key.unlock"), servedOnLowDisk: true } },
    schema: {
      summary: "Unlock the server with the server key, or the recovery key.",
      body,
      response: { 200: statusShape },
      example: {
        body: { key: "an example of a server key" },
        answer: { initialized: true, unlocked: true },
      },
      errors: ["key_not_initialized", "key_too_long", "wrong_key", "seal_busy"],
    },
    handler: async (request) => {
      const key = serverKey(request.body.key);
      await parts.checks.run(exchangeOf(request), (by) => parts.seal.unlock(key, by));
      return parts.seal.status();
    },
  });
}

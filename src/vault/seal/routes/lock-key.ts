import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ServerKey } from "../server-key.ts";
import { keyContract, statusShape } from "./key-shape.ts";

const PATH = "/api/v1/key/lock";

/** `POST /api/v1/key/lock`: 200, also when it was locked; 400 before a server key is set, for nothing could undo it. */
export function lockKeyRoute(api: Api, parts: { readonly seal: ServerKey }): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: { ...keyContract("POST", PATH, "key.lock"), servedOnLowDisk: true } },
    schema: {
      summary: "Lock the server at once: keys are dropped, running answers end, sessions stay.",
      response: { 200: statusShape },
      example: { answer: { initialized: true, unlocked: false } },
      errors: ["key_not_initialized"],
    },
    handler: async (request) => {
      await parts.seal.lock(authorOf(exchangeOf(request))).catch(sayThatItHolds);
      return parts.seal.status();
    },
  });
}

/** Who locks in an emergency must not read of a full disk and think that the door is open. */
function sayThatItHolds(cause: unknown): never {
  if (!(cause instanceof AppError) || cause.code !== "storage_full") throw cause;
  const words = "The server is locked, but that could not be written yet; it is tried again.";
  throw new AppError("storage_full", words, { cause });
}

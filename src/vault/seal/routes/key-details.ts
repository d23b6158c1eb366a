import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import type { ServerKey } from "../server-key.ts";
import { slotTimes } from "../store.ts";
import { keyContract, statusShape } from "./key-shape.ts";

const PATH = "/api/v1/key/details";
const answer = statusShape
  .extend({
    /** 16 hexadecimal digits that name the key, as backups name it. */
    fingerprint: z.string().nullable(),
    set_at: z.string().nullable(),
    recovery_key: z.boolean(),
    /** Whether the server was given the key at its start, to open itself by. */
    unlocks_itself: z.boolean(),
  })
  .meta({ id: "ServerKeyDetails" });

/** `GET /api/v1/key/details`: what is known of the server key without knowing it. */
export function keyDetailsRoute(
  api: Api,
  parts: {
    readonly seal: Pick<ServerKey, "status" | "fingerprint">;
    readonly database: Pick<Database, "query">;
    readonly unlocksItself: boolean;
  },
): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: keyContract("GET", PATH, undefined) },
    schema: {
      summary: "Show which server key is set, since when, and what else unlocks.",
      response: { 200: answer },
      example: {
        answer: {
          initialized: true,
          unlocked: true,
          fingerprint: "3f9c0a6be1d25874",
          set_at: "2026-01-01T00:00:00.000Z",
          recovery_key: true,
          unlocks_itself: false,
        },
      },
    },
    handler: async () => {
      const { seal, database, unlocksItself } = parts;
      const { passphrase, recovery } = await slotTimes(database.query);
      return {
        ...seal.status(),
        fingerprint: seal.fingerprint() ?? null,
        set_at: passphrase === undefined ? null : new Date(passphrase).toISOString(),
        recovery_key: recovery !== undefined,
        unlocks_itself: unlocksItself,
      };
    },
  });
}

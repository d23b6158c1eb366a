import * as z from "zod";
import { authorOf, type Exchange } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { keyContract, keyExample, keyShape } from "./key-shape.ts";
import { revokeOrSayWhy } from "./revoke-key.ts";

const PATH = "/api/v1/keys/leaked";
const SHOWN_REQUESTS = 20;
const body = z.strictObject({ key: z.string().max(8192) });
const requestShape = z.object({
  time: z.string(),
  request_id: z.string(),
  provider: z.string().nullable(),
  model: z.string(),
  status: z.number(),
});
const response = z.object({ key: keyShape, requests: z.array(requestShape) });

/**
 * `POST /api/v1/keys/leaked`: revokes the key whose text this is, unless it is revoked already, and tells what it did
 * last. 404 for a text that is no key's, 409 for the key of an identity of the configuration file, which only that can take
 * out. No answer and no log repeats it.
 */
export function leakedKeyRoute(
  api: Api,
  parts: {
    keys: IssuedKeys;
    gates: Gates;
    settle: () => Promise<void>;
    /** The name of the identity of the configuration file whose key this is. */
    identityOf: (text: string) => string | undefined;
  },
): void {
  const { keys, gates } = parts;
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: { ...keyContract("POST", PATH), servedOnLowDisk: true } },
    schema: {
      summary: "Revoke the key whose text this is, and tell what it did last.",
      body,
      response: { 200: response },
      example: {
        body: { key: `${keyExample.prefix}_…` },
        answer: {
          key: { ...keyExample, revoked_at: "2026-01-02T00:00:00.000Z" },
          requests: [
            {
              time: "2026-01-01T23:59:00.000Z",
              request_id: "req_4fT0qJ7c2LxVb1Ws",
              provider: "openai",
              model: "openai/gpt-5",
              status: 200,
            },
          ],
        },
      },
      errors: ["not_found", "declared_in_file"],
    },
    handler: async (request) => {
      const exchange = exchangeOf(request);
      const text = request.body.key.trim();
      const found = await keys.findText(new Secret(text));
      if (found === undefined) refuseDeclared(parts, exchange, text);
      if (found === undefined) throw new AppError("not_found", "No key has this text.");
      const { id, name } = found;
      authorise(gates, exchange, "keys.manage", name);
      exchange.target = id;
      if (found.revoked_at === null) await revokeOrSayWhy(keys, id, authorOf(exchange));
      await parts.settle();
      const requests = await keys.lastRequests(id, SHOWN_REQUESTS);
      return {
        key: (await keys.find(id)) ?? found,
        requests: requests.map((asked) => ({ ...asked, time: toTimestamp(asked.time) })),
      };
    },
  });
}

/** Throws AppError `declared_in_file` where the text is the key of an identity of the file that the caller may manage. */
function refuseDeclared(
  parts: { readonly gates: Gates; readonly identityOf: (text: string) => string | undefined },
  exchange: Exchange,
  text: string,
): void {
  const name = parts.identityOf(text);
  if (name === undefined) return;
  authorise(parts.gates, exchange, "keys.manage", name);
  throw new AppError(
    "declared_in_file",
    `This is the key of the identity ${name} of the configuration file: give that another one there, now.`,
  );
}

import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";

const LIFE_MS = 15 * 60_000;

/** A key for one run of the box: the gateway alone, this model alone, and at its end whatever happens 15 minutes later. */
export function issueTestKey(model: string): Promise<Schemas["IssuedKey"]> {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return call("POST /api/v1/keys", {
    body: {
      name: `try-${number.toString(36)}`,
      permissions: ["gateway"],
      models: [model],
      expires_at: new Date(Date.now() + LIFE_MS).toISOString(),
    },
  });
}

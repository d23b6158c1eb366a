import * as z from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import type { Exchange } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { AppError } from "#platform/lib/error.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import type { KeyRow } from "../key-list.ts";

/** A key as the API shows it; its text is never in it. */
export const keyShape = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    last4: z.string(),
    permissions: z.array(z.string()),
    limits: keyLimits,
    models: z.array(z.string()).nullable(),
    allowed_ips: z.array(z.string()).nullable(),
    source: z.literal("store"),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    last_address: z.string().nullable(),
    revoked_at: z.string().nullable(),
    replaces: z.string().nullable(),
    replaced_by: z.string().nullable(),
  })
  .meta({ id: "Key" });

/** A key as it is when it was made: its text is in the answer that makes it alone. */
export const issuedKeyShape = keyShape.extend({ key: z.string() }).meta({ id: "IssuedKey" });

/** For the API's description. */
export const keyExample = {
  id: "key_4fT0qJ7c2LxV",
  name: "laptop",
  prefix: "sk-claviger-4fT0qJ7c2LxV",
  last4: "Zk3d",
  permissions: ["gateway"],
  limits: { requests_per_minute: 60, spend_usd_per_month: 25 },
  models: null,
  allowed_ips: null,
  source: "store",
  created_at: "2026-01-01T00:00:00.000Z",
  expires_at: null,
  last_used_at: null,
  last_address: null,
  revoked_at: null,
  replaces: null,
  replaced_by: null,
} satisfies z.infer<typeof keyShape>;

/** The same, with its text. */
export const issuedKeyExample = { ...keyExample, key: `${keyExample.prefix}_…` };

/** The `{id}` of a path. */
export const keyParams = z.object({ id: z.string().max(64) });

/** All routes of keys ask for the same action. `path` is the template below `/api/v1`. */
export function keyContract(method: RouteContract["method"], path: string): RouteContract {
  return { method, path, action: "keys.manage", openWhileLocked: false, family: "api" };
}

/** The key of this id, once its name is known to be the caller's to manage. Throws AppError `not_found`, `forbidden`. */
export async function managedKey(
  parts: { readonly keys: IssuedKeys; readonly gates: Gates },
  exchange: Exchange,
  id: string,
): Promise<KeyRow> {
  const key = await parts.keys.find(id);
  if (key === undefined) throw new AppError("not_found", `No key in force has the id ${id}.`);
  authorise(parts.gates, exchange, "keys.manage", key.name);
  exchange.target = id;
  return key;
}

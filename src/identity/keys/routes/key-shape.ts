import * as z from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import type { RouteContract } from "#platform/http/route.ts";

/** A key as the API shows it; its text is never in it. */
export const keyShape = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    last4: z.string(),
    permissions: z.array(z.string()),
    limits: keyLimits,
    source: z.literal("store"),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
  })
  .meta({ id: "Key" });

/** For the API's description. */
export const keyExample = {
  id: "key_4fT0qJ7c2LxV",
  name: "laptop",
  prefix: "sk-claviger-4fT0qJ7c2LxV",
  last4: "Zk3d",
  permissions: ["gateway"],
  limits: { requests_per_minute: 60, spend_usd_per_month: 25 },
  source: "store",
  created_at: "2026-01-01T00:00:00.000Z",
  last_used_at: null,
  revoked_at: null,
} satisfies z.infer<typeof keyShape>;

/** All routes of keys ask for the same action. `path` is the template below `/api/v1`. */
export function keyContract(method: RouteContract["method"], path: string): RouteContract {
  return { method, path, action: "keys.manage", openWhileLocked: false, family: "api" };
}

import * as z from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import type { RouteContract } from "#platform/http/route.ts";

/** A key as the API shows it; its text is never in it. */
export const keyShape = z.object({
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
});

/** All routes of keys ask for the same action. `path` is the template below `/api/v1`. */
export function keyContract(method: RouteContract["method"], path: string): RouteContract {
  return { method, path, action: "keys.manage", openWhileLocked: false, family: "api" };
}

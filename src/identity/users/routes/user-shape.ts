import * as z from "zod";
import type { RouteContract } from "#platform/http/route.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import type { User } from "../user.ts";

/** A user as the API shows him. */
export const userShape = z
  .object({
    id: z.string(),
    username: z.string(),
    permissions: z.array(z.string()),
    must_change_password: z.boolean(),
    /** Whether a sign-in asks for a code too. */
    second_factor: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
    /** Null for who never did. */
    last_signed_in_at: z.string().nullable(),
  })
  .meta({ id: "User" });

export const userExample = {
  id: "user_0123456789abcdef",
  username: "maria",
  permissions: ["operator"],
  must_change_password: true,
  second_factor: false,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  last_signed_in_at: null,
};

export const userSets = z.array(z.string().max(63)).max(32);
export const userParams = z.object({ id: z.string().max(64) });

/** `hasFactor`: whether he gives a code when he signs in. */
export function showUser(user: User, hasFactor: boolean): z.infer<typeof userShape> {
  const { id, username, permissionSets, mustChangePassword, lastSignedInAt } = user;
  return {
    id,
    username,
    permissions: [...permissionSets],
    must_change_password: mustChangePassword,
    second_factor: hasFactor,
    created_at: toTimestamp(user.createdAt),
    updated_at: toTimestamp(user.updatedAt),
    last_signed_in_at: lastSignedInAt === null ? null : toTimestamp(lastSignedInAt),
  };
}

/** All routes of users ask for the same action, and what changes one for the password. `path` is the template. */
export function userContract(
  method: RouteContract["method"],
  path: string,
  more: Pick<RouteContract, "audited" | "servedOnLowDisk"> & { readonly openWhileLocked?: "local" } = {},
): RouteContract {
  const contract = { method, path, action: "users.manage", family: "api", openWhileLocked: false } as const;
  return method === "GET" ? { ...contract, ...more } : { ...contract, asksPasswordAgain: true, ...more };
}

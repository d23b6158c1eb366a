import * as z from "zod";
import { isLocal } from "#platform/http/entry.ts";
import type { Exchange } from "#platform/http/exchange.ts";
import type { Caller } from "#platform/http/ports.ts";
import { type RouteContract, SELF } from "#platform/http/route.ts";
import { AppError } from "#platform/lib/error.ts";
import type { PasswordPlace } from "../sessions.ts";
import type { SignedIn } from "../sign-in.ts";
import type { User } from "../user.ts";

/** Somebody who signed in, as he is shown to himself. */
export const signedInShape = z
  .object({
    user: z.object({ id: z.string(), username: z.string(), permissions: z.array(z.string()) }),
    must_change_password: z.boolean(),
  })
  .meta({ id: "SignedIn" });

export const signedInExample = {
  user: { id: "user_0123456789abcdef", username: "admin", permissions: ["superadmin"] },
  must_change_password: true,
};

export function showSignedIn({ user }: Pick<SignedIn, "user">): z.infer<typeof signedInShape> {
  const { id, username, permissionSets } = user;
  return {
    user: { id, username, permissions: [...permissionSets] },
    must_change_password: user.mustChangePassword,
  };
}

/** A route about the person who asks; all of them work while the server is locked. */
export function selfContract(
  method: RouteContract["method"],
  path: string,
  more: Pick<
    RouteContract,
    "audited" | "servedOnLowDisk" | "beforePasswordChange" | "asksPasswordAgain"
  > = {},
): RouteContract {
  return { method, path, action: SELF, openWhileLocked: true, family: "api", ...more };
}

/** The person whose request it is, and his session: only they reach a route of theirs. */
export function personOf(exchange: Exchange): Extract<Caller, { readonly kind: "user" }> {
  const { caller } = exchange;
  if (caller?.kind !== "user") throw new Error("a person's route without a person");
  return caller;
}

/** From where a password is given. */
export function placeOf(exchange: Exchange, userAgent: string | undefined): PasswordPlace {
  const { address, requestId, head } = exchange;
  const local = head !== undefined && exchange.listener.kind === "tcp" && isLocal(head, address);
  return { address, requestId, userAgent, isLocal: local };
}

/** Throws AppError `invalid_token` where this person is no more. */
export function mustBe(user: User | undefined): User {
  if (user === undefined) throw new AppError("invalid_token");
  return user;
}

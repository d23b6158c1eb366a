import * as z from "zod";
import { OPEN, type RouteContract } from "#platform/http/route.ts";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";

const LONGEST_BYTES = 4096;

/** Whether a server key is set, and whether the server is unlocked. */
export const statusShape = z.object({ initialized: z.boolean(), unlocked: z.boolean() });

/** How far the re-sealing of the stored secrets is. */
export const progressShape = z
  .object({ running: z.boolean(), done: z.number(), total: z.number() })
  .meta({ id: "ResealProgress" });

/** A server key as it comes in: how long it must be is said by what reads it. */
export const keyText = z
  .string("a server key is a text")
  .min(1, "a server key is not empty")
  .refine((text) => text.isWellFormed(), "a server key is well-formed Unicode");

/** All these routes work while the server is locked. `audited` is the name of the change. */
export function keyContract(
  method: RouteContract["method"],
  path: string,
  audited: string | undefined,
): RouteContract {
  const contract = { method, path, action: "settings.manage", openWhileLocked: true, family: "api" } as const;
  return audited === undefined ? contract : { ...contract, audited };
}

/** The same for what whoever finds a session left open must not do. */
export function guardedContract(
  method: RouteContract["method"],
  path: string,
  audited: string,
): RouteContract {
  return { ...keyContract(method, path, audited), asksPasswordAgain: true };
}

/** The same without credentials. */
export function openContract(path: string): RouteContract {
  return { method: "GET", path, action: OPEN, openWhileLocked: true, family: "api" };
}

/** Takes over what came in. Throws AppError `key_too_long`: nothing so long is looked at. */
export function serverKey(text: string): Secret {
  if (Buffer.byteLength(text) > LONGEST_BYTES) throw new AppError("key_too_long");
  return new Secret(text);
}

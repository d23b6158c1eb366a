import { AppError } from "#platform/lib/error.ts";
import type { ServerKey } from "../server-key.ts";

/**
 * Refuses what needs the keys, on a route that itself works while locked: then it is the state that stands in the way, as
 * with any conflict. Throws AppError `server_locked` with status 409.
 */
export function requireUnlocked(seal: Pick<ServerKey, "status">): void {
  if (!seal.status().unlocked) throw notWhileLocked();
}

/** The same for who was overtaken by a lock; throws anything else as it is. */
export function throwInPlace(error: unknown): never {
  throw error instanceof AppError && error.code === "server_locked" ? notWhileLocked() : error;
}

function notWhileLocked(): AppError {
  return new AppError("server_locked", "Unlock the server first: this needs its keys.", { status: 409 });
}

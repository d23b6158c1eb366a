import { AppError, ERRORS } from "#platform/lib/error.ts";
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
  if (!(error instanceof AppError && error.code === "server_locked")) throw error;
  // What was done before the lock is said in its own words.
  throw notWhileLocked(error.message === ERRORS.server_locked.title ? undefined : error.message);
}

function notWhileLocked(message = "Unlock the server first: this needs its keys."): AppError {
  return new AppError("server_locked", message, { status: 409 });
}

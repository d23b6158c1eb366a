import { AppError } from "#platform/lib/error.ts";
import type { Lookup } from "./lookup.ts";

/** Resolves a name, or throws AppError `upstream_unreachable`. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

export interface NameResolverParts {
  readonly lookup: Lookup;
  readonly deadlineMs: number;
  /** Aborted when no name is wanted any more. */
  readonly closing: AbortSignal;
}

/**
 * Gives every lookup a deadline. Callers that ask for a name while it is being looked up share that one lookup;
 * nothing is kept beyond it, and names do not wait for each other.
 */
export function createNameResolver(parts: NameResolverParts): ResolveName {
  const running = new Map<string, Promise<readonly string[]>>();
  return (name) => {
    const shared = running.get(name);
    if (shared !== undefined) return shared;
    const mine = lookUp(parts, name).finally(() => running.delete(name));
    running.set(name, mine);
    return mine;
  };
}

async function lookUp(parts: NameResolverParts, name: string): Promise<readonly string[]> {
  const late = new AbortController();
  const deadline = setTimeout(
    () => late.abort(unresolved("The upstream's name could not be resolved in time.", "timeout")),
    parts.deadlineMs,
  );
  const signal = AbortSignal.any([late.signal, parts.closing]);
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    const addresses = await Promise.race([parts.lookup(name, signal), given]);
    if (addresses.length === 0) throw unresolved(NO_ADDRESS, "no address");
    return addresses;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unresolved(NO_ADDRESS, error instanceof Error && "code" in error ? String(error.code) : "unknown");
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener("abort", giveUp);
  }
}

const NO_ADDRESS = "The upstream's name could not be resolved.";

function unresolved(message: string, why: string): AppError {
  return new AppError("upstream_unreachable", message, { detail: `resolving: ${why}` });
}

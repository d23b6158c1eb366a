import * as z from "zod";
import type { Exchange } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { Providers } from "../providers/providers.ts";

export const namedCredentialParams = z.object({ name: resourceName });

interface Parts {
  readonly gates: Gates;
  readonly providers: Providers;
}

/** Who sets a secret decides for every provider that refers to it, and must manage them all. Throws AppError `forbidden`. */
export function authoriseCredential({ gates, providers }: Parts, exchange: Exchange, name: string): void {
  for (const target of [name, ...providers.usersOf(name)])
    authorise(gates, exchange, "providers.manage", target);
}

/** Whether the caller may set and remove it. */
export function mayManageCredential({ gates, providers }: Parts, exchange: Exchange, name: string): boolean {
  const { caller } = exchange;
  if (caller === undefined) return false;
  return [name, ...providers.usersOf(name)].every((target) =>
    gates.authorizer.allows(caller, "providers.manage", target),
  );
}

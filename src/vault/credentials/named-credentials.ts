import type { Clock } from "#platform/lib/clock.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Query } from "#platform/storage/database.ts";
import type { Place, Seal } from "#vault/seal/index.ts";
import type { Destination } from "./credential-source.ts";
import { hintOf } from "./hint.ts";
import { putNamed } from "./store.ts";

/** A secret that providers of the configuration file refer to. */
export interface NamedCredential {
  readonly name: string;
  /** Undefined while it is not set. */
  readonly hint: string | undefined;
  /** The ids of the providers that refer to it, in their order. */
  readonly usedBy: readonly string[];
}

/** Where the secret of a name is sealed. */
export function namedPlace(name: string): Place {
  return { table: "named_credential", column: "sealed", key: name };
}

/** Seals a secret under its name, bound to `to`, or to nothing yet. Throws AppError `server_locked`. */
export async function storeNamed(
  parts: { readonly seal: Seal; readonly clock: Clock },
  query: Query,
  secret: { readonly name: string; readonly value: Secret; readonly to: Destination | undefined },
): Promise<void> {
  const { name, value, to } = secret;
  const now = parts.clock.now();
  await putNamed(query, {
    name,
    hint: hintOf(value),
    sealed: parts.seal.sealValue(namedPlace(name), value),
    origin: to?.origin ?? null,
    proxy: to?.proxy ?? null,
    created_at: now,
    updated_at: now,
  });
}

/** Another origin is refused, and so is a proxy that was not on the way when the secret was set. */
export function isFor(row: { origin: string | null; proxy: string | null }, to: Destination): boolean {
  return row.origin === to.origin && (to.proxy === undefined || to.proxy === row.proxy);
}

/** What a secret is bound to, in words. */
export function boundTo({ origin, proxy }: { origin: string | null; proxy: string | null }): string {
  return `${origin ?? "no provider"}${proxy === null ? ", without a proxy" : ` through ${proxy}`}`;
}

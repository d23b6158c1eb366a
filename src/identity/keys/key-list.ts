import type { KeyLimits } from "#gates/ratelimit/index.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { KEY_PREFIX } from "./api-key.ts";
import type { IssuedKey } from "./digest-table.ts";

const ID_START = "key_";

/** A key as lists show it; times are RFC 3339 in UTC. */
export interface KeyRow {
  id: string;
  name: string;
  source: "store";
  /** How the key's text begins, up to and with its public id. */
  prefix: string;
  last4: string;
  permissions: string[];
  limits: KeyLimits;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface KeyPage {
  data: KeyRow[];
  next_cursor: string | null;
}

/** The id under which the server speaks of the key whose text carries `publicId`. */
export function keyId(publicId: string): string {
  return ID_START + publicId;
}

export function toKeyRow(key: IssuedKey): KeyRow {
  return {
    id: key.id,
    name: key.name,
    source: "store",
    prefix: KEY_PREFIX + key.id.slice(ID_START.length),
    last4: key.last4,
    permissions: [...key.permissionSets],
    limits: { ...key.limits },
    created_at: toTimestamp(key.createdAt),
    last_used_at: key.lastUsedAt === null ? null : toTimestamp(key.lastUsedAt),
    revoked_at: key.revokedAt === null ? null : toTimestamp(key.revokedAt),
  };
}

/** One page of `keys` (oldest first), newest first. Throws AppError `bad_request` for a foreign cursor. */
export function pageOfKeys(
  keys: readonly IssuedKey[],
  page: { readonly limit: number; readonly cursor: string | undefined },
): KeyPage {
  const end = page.cursor === undefined ? keys.length : keys.findIndex((key) => key.id === page.cursor);
  if (end === -1) throw new AppError("bad_request", "The cursor is not one of this list.");
  const start = Math.max(0, end - page.limit);
  const shown = keys.slice(start, end).reverse();
  return { data: shown.map(toKeyRow), next_cursor: start === 0 ? null : (shown.at(-1)?.id ?? null) };
}

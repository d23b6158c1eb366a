import * as z from "zod";
import { type KeyLimits, keyLimits } from "#gates/ratelimit/index.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { sortedPage } from "#platform/lib/sorted-page.ts";
import { KEY_PREFIX } from "./api-key.ts";
import type { Grant } from "./grants.ts";
import { publicIdOf } from "./key-id.ts";
import type { KeySort } from "./list/store.ts";
import type { ListedKey } from "./store.ts";

const Names = z.array(z.string());

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
  /** Null for all. */
  models: string[] | null;
  /** Null for all. */
  allowed_ips: string[] | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  /** From where it was last used. */
  last_address: string | null;
  revoked_at: string | null;
  /** The id of the key whose place it took, and of the one that took its place. */
  replaces: string | null;
  replaced_by: string | null;
}

export interface KeyPage {
  data: KeyRow[];
  next_cursor: string | null;
}

export function toKeyRow(key: ListedKey): KeyRow {
  const { permissionSets, limits, models, allowedIps } = grantIn(key);
  return {
    id: key.id,
    name: key.name,
    source: "store",
    prefix: KEY_PREFIX + publicIdOf(key.id),
    last4: key.last4,
    permissions: [...permissionSets],
    limits: { ...limits },
    models: models === undefined ? null : [...models],
    allowed_ips: allowedIps === undefined ? null : [...allowedIps],
    created_at: toTimestamp(key.created_at),
    expires_at: timestampOf(key.expires_at),
    last_used_at: timestampOf(key.last_used_at),
    last_address: key.last_address,
    revoked_at: timestampOf(key.revoked_at),
    replaces: key.replaces,
    replaced_by: key.replaced_by,
  };
}

/** These by the last use that they show, which the store may not have yet, where they are sorted by that. */
export function inShownOrder(rows: KeyRow[], sort: KeySort | undefined): KeyRow[] {
  if (sort !== "last_used_at" && sort !== "-last_used_at") return rows;
  const columns = { last_used_at: (row: KeyRow) => row.last_used_at, id: (row: KeyRow) => row.id };
  return sortedPage(rows, { sort, limit: rows.length }, columns).data;
}

function timestampOf(ms: number | null): string | null {
  return ms === null ? null : toTimestamp(ms);
}

/** The columns of a stored key that make its grant. */
export type GrantColumns = Pick<ListedKey, "permissions" | "limits" | "models" | "allowed_ips">;

/** What a stored key is allowed and limited to. */
export function grantIn(key: GrantColumns): Grant {
  const list = (text: string | null) => (text === null ? undefined : Names.parse(JSON.parse(text)));
  return {
    permissionSets: Names.parse(JSON.parse(key.permissions)),
    limits: keyLimits.parse(JSON.parse(key.limits)),
    models: list(key.models),
    allowedIps: list(key.allowed_ips),
  };
}

/** As it is stored. */
export function columnsOf({ permissionSets, limits, models, allowedIps }: Grant): GrantColumns {
  return {
    permissions: JSON.stringify(permissionSets),
    limits: JSON.stringify(limits),
    models: models === undefined ? null : JSON.stringify(models),
    allowed_ips: allowedIps === undefined ? null : JSON.stringify(allowedIps),
  };
}

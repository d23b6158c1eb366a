import { z } from "zod";
import { keyLimits } from "#gates/ratelimit/index.ts";
import type { Query } from "#platform/storage/database.ts";
import type { IssuedKey } from "./digest-table.ts";

const Names = z.array(z.string());

/** Every key ever issued, oldest first. */
export async function loadKeys(query: Query): Promise<IssuedKey[]> {
  const rows = await query.selectFrom("api_key").selectAll().orderBy("created_at").orderBy("id").execute();
  return rows.map((row, slot) => ({
    slot,
    id: row.id,
    name: row.name,
    digest: Buffer.from(row.digest),
    last4: row.last4,
    permissionSets: Names.parse(JSON.parse(row.permissions)),
    limits: keyLimits.parse(JSON.parse(row.limits)),
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }));
}

/** Whether a key that is not revoked has this name. */
export async function isNameTaken(query: Query, name: string): Promise<boolean> {
  const row = await query
    .selectFrom("api_key")
    .select("id")
    .where("name", "=", name)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertKey(query: Query, key: Omit<IssuedKey, "slot">): Promise<void> {
  const row = {
    id: key.id,
    name: key.name,
    digest: key.digest,
    last4: key.last4,
    permissions: JSON.stringify(key.permissionSets),
    limits: JSON.stringify(key.limits),
    created_at: key.createdAt,
    revoked_at: key.revokedAt,
    last_used_at: key.lastUsedAt,
  };
  await query.insertInto("api_key").values(row).execute();
}

/** Marks the key revoked; false when it already was. */
export async function revokeKey(query: Query, id: string, revokedAt: number): Promise<boolean> {
  const result = await query
    .updateTable("api_key")
    .set({ revoked_at: revokedAt })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function setLastUsed(query: Query, id: string, lastUsedAt: number): Promise<void> {
  await query.updateTable("api_key").set({ last_used_at: lastUsedAt }).where("id", "=", id).execute();
}

import type { Clock } from "#platform/lib/clock.ts";
import { Expiries } from "./expiries.ts";
import { GrantWriter } from "./grants.ts";
import type { DigestSecret } from "./key-digest.ts";
import { keyId, publicIdOf } from "./key-id.ts";
import { createKeyMemory, type KeyMemory } from "./key-memory.ts";
import { attachKeys, type KeyReader } from "./key-reader.ts";
import { KeyWriter } from "./key-writer.ts";
import { LastAddresses } from "./last-addresses.ts";
import type { ListedKey } from "./store.ts";

/** What the one thread that changes keys holds of them in memory. */
export interface HeldKeys {
  readonly memory: KeyMemory;
  readonly reader: KeyReader;
  readonly writer: KeyWriter;
  readonly grants: GrantWriter;
  readonly expiries: Expiries;
  readonly addresses: LastAddresses;
}

/** Nothing yet, with room for twice the `stored` keys. */
export function holdKeys(
  stored: number,
  parts: { readonly secret: DigestSecret; readonly clock: Clock; readonly roomFor?: number },
): HeldKeys {
  const memory = createKeyMemory(stored, parts.roomFor);
  return {
    memory,
    reader: attachKeys(memory, parts.secret, parts.clock),
    writer: new KeyWriter(memory),
    grants: new GrantWriter(memory.grants),
    expiries: new Expiries(),
    addresses: new LastAddresses(memory),
  };
}

/** The ids of the keys that expired since they were last taken. One revoked before, or given another time, is not. */
export function takeExpired({ writer, expiries }: HeldKeys, nowMs: number): string[] {
  const ids: string[] = [];
  for (let due = expiries.take(nowMs); due !== undefined; due = expiries.take(nowMs))
    if (writer.table.isLive(due.slot) && writer.table.expiresAtMs(due.slot) === due.atMs)
      ids.push(keyId(writer.publicIdOf(due.slot)));
  return ids;
}

/** With the last use that memory knows and the store does not yet. */
export function withUses({ writer, addresses }: HeldKeys, key: ListedKey): ListedKey {
  const slot = writer.slotOf(publicIdOf(key.id));
  if (slot === undefined) return key;
  const usedAt = writer.table.usedAtS(slot) * 1000;
  return {
    ...key,
    last_used_at: usedAt > (key.last_used_at ?? 0) ? usedAt : key.last_used_at,
    last_address: addresses.at(slot) ?? key.last_address,
  };
}

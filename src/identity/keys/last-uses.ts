import { setImmediate } from "node:timers/promises";
import type { Clock } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import { keyId } from "./key-id.ts";
import type { KeyWriter } from "./key-writer.ts";
import type { LastAddresses } from "./last-addresses.ts";
import { setLastUsed } from "./store.ts";

const INTERVAL_S = 60;
/** Slots looked at without a pause, a multiple of 32: about a millisecond when all were used. */
const SLOTS_AT_ONCE = 32 * 1024;
const WRITTEN_AT_ONCE = 500;

interface Parts {
  readonly keys: KeyWriter;
  readonly addresses: LastAddresses;
  readonly database: Database;
  readonly clock: Clock;
}

/**
 * Writes the last uses noted in memory to the store, of each key at most once a minute. Throws what the store throws;
 * what was not written is written another time.
 */
export async function writeLastUses(parts: Parts): Promise<void> {
  const { keys, clock } = parts;
  const nowMs = clock.now();
  const writtenBeforeS = Math.floor(nowMs / 1000) - INTERVAL_S;
  for (let from = 0; from < keys.size; from += SLOTS_AT_ONCE) {
    const slots = keys.table.takeTouched(from, from + SLOTS_AT_ONCE, writtenBeforeS);
    // Rounded up, so that a minute is never short.
    await writeAll(parts, slots, Math.ceil(nowMs / 1000));
    await setImmediate();
  }
}

async function writeAll({ keys, addresses, database }: Parts, slots: number[], nowS: number): Promise<void> {
  while (slots.length > 0) {
    const some = slots.slice(0, WRITTEN_AT_ONCE);
    const uses = some.map((slot) => ({
      id: keyId(keys.publicIdOf(slot)),
      usedAt: keys.table.usedAtS(slot) * 1000,
      address: addresses.at(slot),
    }));
    try {
      await setLastUsed(database.query, uses);
    } catch (error) {
      for (const slot of slots) keys.table.touch(slot);
      throw error;
    }
    for (const slot of some) keys.table.noteWritten(slot, nowS);
    slots.splice(0, WRITTEN_AT_ONCE);
  }
}

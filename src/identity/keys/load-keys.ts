import type { Query } from "#platform/storage/database.ts";
import type { Expiries } from "./expiries.ts";
import type { GrantWriter } from "./grants.ts";
import { publicIdOf } from "./key-id.ts";
import { grantIn } from "./key-list.ts";
import type { KeyReader } from "./key-reader.ts";
import type { KeyWriter } from "./key-writer.ts";
import { type LoadedKey, loadKeys } from "./store.ts";

/** Bounded, for each key may have a grant of its own. */
const MOST_REMEMBERED = 10_000;

interface Held {
  readonly writer: KeyWriter;
  readonly grants: GrantWriter;
  readonly reader: KeyReader;
  readonly expiries: Expiries;
}

/** Adds every stored key, oldest first, a few at a time, so that nothing else waits for all of them. */
export async function fillFromStore(query: Query, held: Held, nowMs: number): Promise<void> {
  const numberOf = rememberingNumbers(held.grants);
  for await (const rows of loadKeys(query))
    for (const row of rows) {
      const slot = held.writer.add({
        digest: row.digest,
        publicId: publicIdOf(row.id),
        grant: numberOf(row, limitSlotOf(row, held)),
        revoked: row.revoked_at !== null,
        usedAtS: Math.floor((row.last_used_at ?? 0) / 1000),
        expiresAtMs: row.expires_at ?? undefined,
      });
      if (row.expires_at !== null && row.expires_at > nowMs && row.revoked_at === null)
        held.expiries.add({ atMs: row.expires_at, slot });
    }
}

/** What a key replaces is older, and so there already; then both are counted as one. */
function limitSlotOf({ replaces }: LoadedKey, { writer, reader }: Held): number | undefined {
  const replaced = replaces === null ? undefined : writer.slotOf(publicIdOf(replaces));
  return replaced === undefined ? undefined : reader.limitSlotOf(replaced);
}

/** Parses each grant once: the texts of most keys are the same. */
function rememberingNumbers(grants: GrantWriter): (row: LoadedKey, limitSlot: number | undefined) => number {
  const numbers = new Map<string, number>();
  return (row, limitSlot) => {
    const text = [row.permissions, row.limits, row.models, row.allowed_ips, limitSlot].join("\n");
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const number = grants.numberOf({ ...grantIn(row), limitSlot });
    if (numbers.size >= MOST_REMEMBERED) numbers.clear();
    numbers.set(text, number);
    return number;
  };
}

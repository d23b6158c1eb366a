import type { Query } from "#platform/storage/database.ts";
import type { GrantWriter } from "./grants.ts";
import { publicIdOf } from "./key-id.ts";
import { grantIn } from "./key-list.ts";
import type { KeyWriter } from "./key-writer.ts";
import { type LoadedKey, loadKeys } from "./store.ts";

/** Bounded, for each key may have a grant of its own. */
const MOST_REMEMBERED = 10_000;

/** Adds every stored key, oldest first, a few at a time, so that nothing else waits for all of them. */
export async function fillFromStore(query: Query, keys: KeyWriter, grants: GrantWriter): Promise<void> {
  const numberOf = rememberingNumbers(grants);
  for await (const rows of loadKeys(query))
    for (const row of rows)
      keys.add({
        digest: row.digest,
        publicId: publicIdOf(row.id),
        grant: numberOf(row),
        revoked: row.revoked_at !== null,
        usedAtS: Math.floor((row.last_used_at ?? 0) / 1000),
      });
}

/** Parses each grant once: the texts of most keys are the same. */
function rememberingNumbers(grants: GrantWriter): (row: LoadedKey) => number {
  const numbers = new Map<string, number>();
  return (row) => {
    const text = `${row.permissions}\n${row.limits}`;
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const number = grants.numberOf(grantIn(row));
    if (numbers.size >= MOST_REMEMBERED) numbers.clear();
    numbers.set(text, number);
    return number;
  };
}

import { keyDigest } from "#identity/keys/key-digest.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { numbered } from "./numbered-keys.ts";

/** The API_KEY_SECRET of stores that are filled here: a server of theirs must be given it. */
export const FILLED_SECRET = new Secret("a secret that protects nothing but a benchmark");

const FILLED_AT_ONCE = 2000;

/** Writes the numbered keys below `count` into a store without keys, each with what `limitsOf` gives its number. */
export async function fillKeys(
  store: Database,
  count: number,
  limitsOf: (number: number) => Readonly<Record<string, number>>,
): Promise<void> {
  const digest = keyDigest(FILLED_SECRET);
  for (let from = 0; from < count; from += FILLED_AT_ONCE) {
    const rows = Array.from({ length: Math.min(FILLED_AT_ONCE, count - from) }, (_, offset) => {
      const number = from + offset;
      const { id, text } = numbered(number);
      const grant = { permissions: '["gateway"]', limits: JSON.stringify(limitsOf(number)) };
      const times = { created_at: number, revoked_at: null, last_used_at: null };
      const found = { digest: digest(text), last4: text.slice(-4) };
      return { id: `key_${id}`, name: `k${number}`, ...found, ...grant, ...times };
    });
    await store.insertRows("api_key", rows);
  }
}

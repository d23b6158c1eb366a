import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { generateApiKey } from "./api-key.ts";
import { keyId } from "./key-id.ts";
import { type GrantColumns, type KeyRow, toKeyRow } from "./key-list.ts";
import type { ListedKey, StoredKey } from "./store.ts";

/** A key that was just made, with its text, which is nowhere else. */
export interface MadeKey {
  readonly key: StoredKey;
  readonly text: Secret;
}

/** A key as it is shown, with its text. */
export type IssuedKey = KeyRow & { readonly key: Secret };

/** A new key on these terms, in memory alone. One that replaces another comes after it in any order of keys. */
export function makeKey(
  tools: { readonly clock: Clock; readonly random: Random; readonly digest: (text: string) => Buffer },
  terms: GrantColumns & Pick<StoredKey, "name" | "expires_at">,
  replaced?: ListedKey,
): MadeKey {
  const { id: publicId, key: text } = generateApiKey(tools.random);
  const key: StoredKey = {
    ...terms,
    id: keyId(publicId),
    digest: tools.digest(text.expose()),
    last4: text.expose().slice(-4),
    created_at: Math.max(tools.clock.now(), (replaced?.created_at ?? -Infinity) + 1),
    revoked_at: null,
    last_used_at: null,
    last_address: null,
    replaces: replaced?.id ?? null,
    replaced_by: null,
  };
  return { key, text };
}

export function toIssuedKey({ key, text }: MadeKey): IssuedKey {
  return { ...toKeyRow(key), key: text };
}

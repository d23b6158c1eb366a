import type { Tables } from "#platform/storage/tables.ts";

/** A key as it is stored, in force unless said; `more` in place of its fields. */
export function keyRow(
  more: Pick<Tables["api_key"], "id" | "name"> &
    Partial<Pick<Tables["api_key"], "created_at" | "revoked_at">>,
) {
  const digest = Uint8Array.from(Buffer.from(more.id));
  const nothing = { permissions: "[]", limits: "{}", last_used_at: null };
  return { digest, last4: "abcd", ...nothing, created_at: 0, revoked_at: null, ...more };
}

import type { Schemas } from "#lib/api-types.ts";

export type Key = Schemas["Key"];

/** Whether a key lets anybody in, and if not why. */
export type KeyState = "in force" | "replaced" | "expired" | "revoked";

/** The state of `key` at `nowMs`; one with a successor still works until it ends. */
export function keyState(key: Key, nowMs: number): KeyState {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && Date.parse(key.expires_at) <= nowMs) return "expired";
  return key.replaced_by === null ? "in force" : "replaced";
}

export const STATE_TONES = {
  "in force": "good",
  replaced: "warning",
  expired: "neutral",
  revoked: "bad",
} as const;

import type { Secret } from "#platform/lib/secret.ts";

/** The last four characters, or nothing of a short value. */
export function hintOf(value: Secret): string {
  const text = value.expose();
  return text.length >= 16 ? text.slice(-4) : "";
}

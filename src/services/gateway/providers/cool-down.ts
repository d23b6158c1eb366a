import type { Clock } from "#platform/lib/clock.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { CredentialUse } from "#vault/credentials/index.ts";

const USUAL_MS = 30_000;
const LONGEST_MS = 600_000;

/**
 * Passes a credential over for a while when the upstream's answer says so: 401 and 403 refuse it, 429 means that it
 * is used up. As long as `Retry-After` says, 1 s to 10 min, and 30 s without one. The request itself is not repeated.
 */
export function coolDownAfter(
  credentials: CredentialUse,
  credential: Secret | undefined,
  answer: { readonly status: number; readonly rawHeaders: readonly string[] },
  clock: Clock,
): void {
  if (credential === undefined || ![401, 403, 429].includes(answer.status)) return;
  credentials.coolDown(credential, coolDownMs(answer.rawHeaders, clock.now()));
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function coolDownMs(rawHeaders: readonly string[], nowMs: number): number {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === "retry-after");
  const text = at < 0 ? "" : (rawHeaders[at + 1] ?? "").trim();
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(asked) ? USUAL_MS : Math.min(Math.max(asked, 1000), LONGEST_MS);
}

import type { AppError } from "#platform/lib/error.ts";

/** How long a client should leave a locked server alone, in seconds. */
const LOCKED_RETRY_AFTER_S = 5;

/**
 * What an error says beside its body, in every dialect. `x-should-retry: false` keeps the official SDKs from repeating
 * what only an operator can repair, or what
 * only the next day or month ends.
 */
export function errorHeaders({ code, retryAfterS }: AppError): Record<string, string> {
  switch (code) {
    case "invalid_token":
      return { "www-authenticate": 'Bearer realm="claviger", error="invalid_token"' };
    case "server_locked":
      return {
        "x-should-retry": "false",
        "x-claviger-locked": "true",
        "retry-after": String(LOCKED_RETRY_AFTER_S),
      };
    case "upstream_credential_rejected":
      return { "x-should-retry": "false" };
    case "quota_exhausted":
      return { "x-should-retry": "false", "retry-after": String(retryAfterS) };
    default:
      return retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
  }
}

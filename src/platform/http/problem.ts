import { AppError, ERRORS } from "../lib/error.ts";

/** RFC 9457 problem details, with our stable `code` and the request id. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly request_id: string;
}

export function toProblem(error: AppError, requestId: string): Problem {
  const { title } = ERRORS[error.code];
  return {
    type: "about:blank",
    title,
    status: error.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
  };
}

/** Headers every error of this code bears, in any dialect. */
export function errorHeaders(error: AppError): Record<string, string> {
  if (error.code === "invalid_token")
    return { "www-authenticate": 'Bearer realm="claviger", error="invalid_token"' };
  if (error.code === "sign_in_refused" || error.code === "second_factor_required")
    return { "www-authenticate": 'Bearer realm="claviger"' };
  if (error.code === "server_locked")
    return { "x-claviger-locked": "true", "retry-after": "5", "x-should-retry": "false" };
  if (error.code === "upstream_credential_rejected") return { "x-should-retry": "false" };
  const retryAfter = error.retryAfterS === undefined ? {} : { "retry-after": String(error.retryAfterS) };
  return error.code === "quota_exhausted" ? { ...retryAfter, "x-should-retry": "false" } : retryAfter;
}

/** Anything thrown becomes an AppError: what is not one already is a bug and says nothing to the caller. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError("internal", undefined, {
    cause: thrown,
    detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  });
}

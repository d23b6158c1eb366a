import { AppError } from "#platform/lib/error.ts";

/** How far a request had come when it failed. */
export type EgressPhase = "connecting" | "awaiting-headers" | "receiving";

const CLOSED_EARLY = "The upstream closed the connection before its answer ended.";

/**
 * What a failure of a connection means to a caller. The text names the kind of failure only: messages of sockets and
 * of TLS hold addresses and names, so that nothing of them but the error code goes into `detail`.
 */
export function egressError(error: Error, phase: EgressPhase): AppError {
  const code = codeOf(error);
  const options = { detail: `${phase}: ${code}` };
  if (phase === "connecting") return new AppError("upstream_unreachable", connectText(code), options);
  const text = code === "ECONNRESET" || code === "EPIPE" ? CLOSED_EARLY : undefined;
  return new AppError("upstream_failed", text, options);
}

/** The upstream closed the connection where more was to come. */
export function closedEarly(phase: EgressPhase): AppError {
  return new AppError("upstream_failed", CLOSED_EARLY, { detail: `${phase}: closed` });
}

/** The upstream was silent for longer than it may be. */
export function tooSlow(phase: EgressPhase): AppError {
  return new AppError("upstream_timeout", undefined, { detail: `${phase}: timeout` });
}

function connectText(code: string): string | undefined {
  if (code === "ECONNREFUSED") return "The upstream refused the connection.";
  if (code === "ETIMEDOUT") return "The upstream did not accept a connection in time.";
  if (/CERT|SIGNATURE|TLS|SSL|EPROTO/.test(code))
    return "No trusted TLS connection to the upstream could be made.";
  return undefined;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

import { AppError } from "#platform/lib/error.ts";

/** How far a request had come when it failed. */
export type EgressPhase = "connecting" | "awaiting-headers" | "receiving";

/**
 * What a failure of the HTTP client means to a caller. The text names the kind of failure only: messages of the
 * client and of TLS hold addresses and names, so that nothing of them but the error code goes into `detail`.
 */
export function egressError(error: Error, phase: EgressPhase): AppError {
  const code = codeOf(error);
  const options = { detail: `${phase}: ${code}` };
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return new AppError("upstream_timeout", undefined, options);
  }
  if (phase === "connecting") return new AppError("upstream_unreachable", connectText(code), options);
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE") {
    return new AppError(
      "upstream_failed",
      "The upstream closed the connection before its answer ended.",
      options,
    );
  }
  return new AppError("upstream_failed", undefined, options);
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

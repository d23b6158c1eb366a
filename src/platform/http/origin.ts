import { AppError } from "../lib/error.ts";
import type { Exchange } from "./exchange.ts";
import { hostName, isLoopbackName } from "./host.ts";
import type { SessionGate } from "./ports.ts";
import type { RequestHead } from "./request-head.ts";

type Sessions = Pick<SessionGate, "behindTls"> | undefined;

/**
 * A right that comes with the browser, not with a key, must not be used by a page of another origin. What changes
 * something by a cookie, or begins a session, is not for the pages that may use the gateway either.
 */
export function checkOrigin(sessions: Sessions, exchange: Exchange, head: RequestHead): void {
  if (head.credential !== undefined) return;
  const reads = exchange.method === "GET" || exchange.method === "HEAD";
  const isPersonal = head.session !== undefined || exchange.route?.path.startsWith("/login/") === true;
  if (head.origin !== undefined) {
    if (exchange.listener.allowedOrigins.has(head.origin) && (reads || !isPersonal)) return;
    if (!isOwnOrigin(head.origin, sessions, exchange, head)) throw new AppError("cross_origin");
  }
  const site = head.fetchSite;
  if (site !== undefined && site !== "same-origin" && site !== "none") throw new AppError("cross_origin");
}

/** Behind a proxy that ends TLS its pages are https ones, and those that this machine opens past it. */
function isOwnOrigin(
  origin: string,
  sessions: Sessions,
  { listener }: Exchange,
  { host = "" }: RequestHead,
): boolean {
  const is = (scheme: string) => origin.toLowerCase() === `${scheme}://${host}`.toLowerCase();
  if (listener.secure) return is("https");
  if (sessions?.behindTls !== true) return is("http");
  return is("https") || (is("http") && isLoopbackName(hostName(host) ?? ""));
}

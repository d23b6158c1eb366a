import { isIP } from "node:net";
import { DEFAULT_PORT, isLoopback } from "#platform/config/listen.ts";

/** Where a listener listens. `host` is an IP address without brackets; port 0 lets the system choose. */
export type ListenPlace = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export type ParsedListenAddr =
  | { readonly ok: true; readonly places: readonly ListenPlace[] }
  | { readonly ok: false; readonly message: string };

/** sun_path of unix(7) with its closing zero. */
const LONGEST_SOCKET_PATH = 107;
const TLS_PORT = 8442;
const FORMS = "127.0.0.1:8441, [::1]:8441, localhost:8441, :8441 (every address) or unix:/run/claviger.sock";

/**
 * One `listen_addr`. `localhost` and the empty host stand for an address of each family; without a port it is 8442 with
 * `secure`, else 8441.
 */
export function parseListenAddr(text: string, secure = false): ParsedListenAddr {
  if (text.startsWith("unix:")) return parseSocketPath(text.slice("unix:".length));
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[3] ?? (secure ? TLS_PORT : DEFAULT_PORT));
  if (match === null || text === "" || port > 65535) return refused();
  const [, v6, other = ""] = match;
  if (v6 !== undefined) return isIP(v6) === 6 && !v6.includes("%") ? at(port, v6) : refused();
  if (other === "") return at(port, "0.0.0.0", "::");
  if (other.toLowerCase() === "localhost") return at(port, "127.0.0.1", "::1");
  if (isIP(other) === 4) return at(port, other);
  return { ok: false, message: "a host name may come to mean another address; write the address itself" };
}

/** Whether the address names no port, and takes the one of its kind. */
export function lacksPort(text: string): boolean {
  return !text.startsWith("unix:") && !/:\d+$/.test(text.replace(/^\[.*\]/, ""));
}

/** Whether only programs of this machine reach it. */
export function isLocalPlace(place: ListenPlace): boolean {
  return "socketPath" in place || isLoopback(place.host);
}

/** Whether two listeners cannot have both: the same socket, or one port on the same address or on every address. */
export function clash(a: ListenPlace, b: ListenPlace): boolean {
  if ("socketPath" in a || "socketPath" in b)
    return "socketPath" in a && "socketPath" in b && a.socketPath === b.socketPath;
  if (a.port === 0 || a.port !== b.port || isIP(a.host) !== isIP(b.host)) return false;
  const [hostA, hostB] = [canonical(a.host), canonical(b.host)];
  return hostA === hostB || isEvery(hostA) || isEvery(hostB);
}

function isEvery(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function canonical(host: string): string {
  return host.includes(":") ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
}

function parseSocketPath(path: string): ParsedListenAddr {
  if (!/^\/[^\0]+$/.test(path)) return { ok: false, message: "unix: is followed by an absolute path" };
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH)
    return {
      ok: false,
      message: `the path of a unix socket has at most ${LONGEST_SOCKET_PATH} bytes on this system`,
    };
  return { ok: true, places: [{ socketPath: path }] };
}

function at(port: number, ...hosts: readonly string[]): ParsedListenAddr {
  return { ok: true, places: hosts.map((host) => ({ host, port })) };
}

function refused(): ParsedListenAddr {
  return { ok: false, message: `must be an address with its port: ${FORMS}` };
}

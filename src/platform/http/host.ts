import { isIP } from "node:net";
import { hostname } from "node:os";

const LOOPBACK_NAMES = new Set(["localhost", "localhost.localdomain", "ip6-localhost"]);

/** Splits a Host header into its name (lower case, no brackets, no trailing dot); undefined when malformed. */
export function hostName(header: string): string | undefined {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(header);
  if (bracketed?.[1] !== undefined) return isIP(bracketed[1]) === 6 ? bracketed[1].toLowerCase() : undefined;
  const plain = /^([A-Za-z0-9._-]{1,253})(?::\d{1,5})?$/.exec(header);
  return plain?.[1]?.toLowerCase().replace(/\.$/, "");
}

/** Names that mean this machine's loopback, IP literals included. */
export function isLoopbackName(name: string): boolean {
  return LOOPBACK_NAMES.has(name) || name.endsWith(".localhost") || isLoopbackAddress(name);
}

/** 127.0.0.0/8, ::1 and their IPv4-mapped form. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/**
 * Whether the server answers for `name`: loopback, any IP literal, this machine's names, or one that was configured.
 * `*.example` among these, as it stands in certificates, is any one label before `.example`.
 */
export function isAllowedHost(name: string, configured: ReadonlySet<string>): boolean {
  if (isLoopbackName(name) || isIP(name) !== 0 || configured.has(name)) return true;
  const dot = name.indexOf(".");
  if (configured.size > 0 && dot > 0 && configured.has(`*${name.slice(dot)}`)) return true;
  // Asked last and each time: the call costs more than all the rest, and a machine may be renamed.
  const machine = hostname().toLowerCase();
  const bare = machine.split(".")[0] ?? machine;
  return name === machine || name === bare || name === `${bare}.local`;
}

import { isIPv4, isIPv6 } from "node:net";

/** The 4 or 16 bytes of an IP address. */
export type IpBytes = readonly number[];

/**
 * Reads an address in canonical notation: dotted decimal, or IPv6 (RFC 4291), a zone id left out. Undefined for
 * anything else; other spellings of IPv4 are read where URLs are, and nowhere else.
 */
export function parseIp(text: string): IpBytes | undefined {
  if (isIPv4(text)) return text.split(".").map(Number);
  const [address = ""] = text.split("%", 1);
  return isIPv6(address) ? parseIpv6(address) : undefined;
}

/** One notation per address: dotted decimal, or eight groups of hex. */
export function formatIp(bytes: IpBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2)
    groups.push((byteAt(bytes, at) * 256 + byteAt(bytes, at + 1)).toString(16));
  return groups.join(":");
}

/** The IPv4 address within an IPv4-mapped one, which reaches the same socket; any other address as it is. */
export function unmapIp(bytes: IpBytes): IpBytes {
  return hasPrefix(bytes, MAPPED) && bytes.length === 16 ? bytes.slice(12) : bytes;
}

/** Whether the address begins with these bytes. */
export function hasPrefix(bytes: IpBytes, prefix: IpBytes, at = 0): boolean {
  return prefix.every((byte, index) => bytes[at + index] === byte);
}

/** The byte at an index; 0 beyond the end. */
export function byteAt(bytes: IpBytes, index: number): number {
  return bytes[index] ?? 0;
}

const MAPPED: IpBytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function parseIpv6(text: string): IpBytes {
  const [head = "", tail] = text.split("::", 2);
  const before = groupBytes(head);
  const after = groupBytes(tail ?? "");
  return [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after];
}

function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

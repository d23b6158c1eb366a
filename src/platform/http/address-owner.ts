import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { SocketAddress } from "node:net";

/** The state of a socket that accepts connections in /proc/net/tcp (include/net/tcp_states.h of Linux). */
const LISTENING = "0A";

/** The process that listens on an address, by Linux's /proc; undefined where that cannot be known. */
export function addressOwner(host: string, port: number): number | undefined {
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    listeningInodes(readOr(table), host, port),
  );
  if (inodes.length === 0) return undefined;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  return entriesOf("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => entriesOf(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOf(`/proc/${pid}/fd/${fd}`))));
}

/** The inodes of the sockets that keep `host`:`port` from being bound: on the address itself or on all addresses. */
export function listeningInodes(table: string, host: string, port: number): string[] {
  const wanted = new Set([canonical(host), "0.0.0.0", "::"]);
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = "", hexPort = ""] = local.split(":");
    if (state !== LISTENING || Number.parseInt(hexPort, 16) !== port) return [];
    return wanted.has(decodeAddress(address)) ? [inode] : [];
  });
}

/** An address as the kernel prints it: 32-bit words in the machine's order, which is little-endian on what we run on. */
function decodeAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, "hex").reverse()]);
  if (bytes.length === 4) return bytes.join(".");
  const groups = Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? [];
  return groups.length === 8 ? canonical(groups.join(":")) : "";
}

function canonical(host: string): string {
  return host.includes(":") ? new SocketAddress({ address: host, family: "ipv6" }).address : host;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Gone in the meantime, or another user's.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

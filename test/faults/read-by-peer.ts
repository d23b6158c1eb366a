import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Settles when the program at the other end of a connection over 127.0.0.1 has read all that was written to it, or the
 * connection is gone: as proc(5) lays out /proc/net/tcp, where the queues are hexadecimal, `tx:rx`.
 */
export async function readByPeer({ remotePort = 0, localPort = 0 }: Socket): Promise<void> {
  const peer = `0100007F:${hex(remotePort)} 0100007F:${hex(localPort)}`;
  for (;;) {
    const line = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .find((one) => one.includes(peer));
    const unread = /:([0-9A-F]{8}) \d\d:/.exec(line ?? "")?.[1] ?? "0";
    if (Number.parseInt(unread, 16) === 0) return;
    await nextTurn();
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

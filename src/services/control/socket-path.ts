import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import { sha256 } from "#platform/lib/hmac.ts";

/** The longest path the kernel takes for a Unix socket: sun_path is 108 bytes with its final zero (unix(7)). */
const SOCKET_PATH_LIMIT_BYTES = 107;

/** Where the control socket of a data directory is: in it, or under a short run-time path that the directory's name decides. */
export function controlSocketPath(dataDir: string): string {
  const inside = join(dataDir, "run", "control.sock");
  if (Buffer.byteLength(inside) <= SOCKET_PATH_LIMIT_BYTES) return inside;
  const owner = process.getuid?.() ?? 0;
  return join(
    "/tmp",
    `claviger-${owner}-${sha256(Buffer.from(dataDir)).toString("hex").slice(0, 16)}`,
    "control.sock",
  );
}

/**
 * Makes the socket's directory (0700, ours) and clears a socket that a killed server left; whoever holds the data directory may.
 * Throws StartError when someone else owns the directory.
 */
export function prepareControlSocket(dataDir: string): string {
  const path = controlSocketPath(dataDir);
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
    throw new StartError(
      `${directory} is not a directory of this user; remove it, or use a shorter --data-dir`,
    );
  }
  chmodSync(directory, 0o700);
  if (existsSync(path)) rmSync(path);
  return path;
}

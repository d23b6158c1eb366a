import { chmodSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import { sha256 } from "#platform/lib/hmac.ts";

/** The longest path the kernel takes for a Unix socket: sun_path is 108 bytes with its final zero (unix(7)). */
const SOCKET_PATH_LIMIT_BYTES = 107;
const EXIT_TEMPFAIL = 75;

/**
 * Where the control socket of a data directory is: in it, or under a short run-time path. That one follows from the
 * directory's real path and owner alone, so that root and the server's user, by whatever spelling, find the same.
 */
export function controlSocketPath(dataDir: string): string {
  const inside = join(dataDir, "run", "control.sock");
  if (Buffer.byteLength(inside) <= SOCKET_PATH_LIMIT_BYTES) return inside;
  const { real, owner } = identify(dataDir);
  const name = `claviger-${owner}-${sha256(Buffer.from(real)).toString("hex").slice(0, 16)}`;
  return join("/tmp", name, "control.sock");
}

/** Where the main thread takes what its workers relay: beside the control socket, under the same protection. */
export function relaySocketPath(dataDir: string): string {
  return join(dirname(controlSocketPath(dataDir)), "relay.sock");
}

/**
 * Makes the socket's directory (0700, ours) and clears a socket that a killed server left; whoever holds the data directory may.
 * Throws StartError when someone else owns the directory, when the path is taken by anything but a socket, or a server answers on it.
 */
export async function prepareControlSocket(dataDir: string): Promise<string> {
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
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left === undefined) return path;
  if (!left.isSocket()) {
    throw new StartError(`${path} is not a socket, so the control socket cannot be there; move it away`);
  }
  if (await isAnswered(path)) {
    throw new StartError(`a running server answers on ${path}; stop it first`, { exitCode: EXIT_TEMPFAIL });
  }
  rmSync(path);
  return path;
}

function identify(dataDir: string): { real: string; owner: number } {
  try {
    return { real: realpathSync(dataDir), owner: statSync(dataDir).uid };
  } catch {
    // No such directory yet, so no server either; the name only has to be one.
    return { real: dataDir, owner: process.getuid?.() ?? 0 };
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const settle = (answered: boolean) => {
      probe.destroy();
      resolve(answered);
    };
    probe.once("connect", () => settle(true));
    probe.once("error", () => settle(false));
  });
}

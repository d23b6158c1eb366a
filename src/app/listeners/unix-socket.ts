import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { StartError } from "#platform/lib/error.ts";

/** The longest path the kernel takes: sun_path is 108 bytes with its final zero (unix(7)). */
const PATH_LIMIT_BYTES = 107;
const EXIT_TEMPFAIL = 75;

/**
 * Clears a socket that a killed server left. Throws StartError when the path is too long, when it is taken by anything
 * but a socket, and when a server answers on it.
 */
export async function clearSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_LIMIT_BYTES)
    throw new StartError(`${path} is too long for a socket: the system takes ${PATH_LIMIT_BYTES} bytes`);
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left === undefined) return;
  if (!left.isSocket()) throw new StartError(`${path} is not a socket; move it away, or listen elsewhere`);
  const code = await knock(path);
  if (code === "ECONNREFUSED") return rmSync(path, { force: true });
  if (code === "ENOENT") return;
  const reason = code === undefined ? "a running server answers there" : code;
  throw new StartError(`cannot listen on ${path}: ${reason}`, { exitCode: EXIT_TEMPFAIL });
}

/** The code of the error with which a connection fails; undefined when somebody takes it. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

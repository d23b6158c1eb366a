import { createReadStream, lstatSync, type ReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError, StartError } from "#platform/lib/error.ts";
import { syncDirectory } from "#platform/lib/file.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { isRefusedBySystem, sqliteCode } from "#platform/storage/sqlite-code.ts";
import { BackupProblem, openBackup } from "#vault/backup/index.ts";
import { CliError, EXIT } from "../exit-codes.ts";

/** What a system says when a file cannot be made or written. */
const CANNOT_WRITE = [
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EACCES",
  "EPERM",
  "ENOENT",
  "ENOTDIR",
  "EISDIR",
  "EFBIG",
  "EIO",
];

/** Throws CliError 73 when `file` exists and is not to be replaced, 64 when the backup would go to a terminal. */
export function refuseExisting(file: string, { force }: { readonly force?: boolean }): void {
  if (file === "-") {
    if (process.stdout.isTTY !== true) return;
    throw new CliError("a backup is no text for a terminal", { exitCode: EXIT.usage, repair: "name a file" });
  }
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || (force === true && found.isFile())) return;
  const repair = found.isFile() ? { repair: "to replace it: --force" } : {};
  throw new CliError(`${file} exists`, { exitCode: EXIT.cannotCreate, ...repair });
}

/**
 * Writes the backup beside its place, reads it again to its end, and puts it in place (0600): what bears the name is
 * whole. Gives when it was made. CliError 73 when it cannot be written, 1 when it breaks off.
 */
export async function writeBackup(
  file: string,
  source: AsyncIterable<Uint8Array>,
  password: Secret | undefined,
): Promise<{ created: string; server_key: string }> {
  const part = `${file}.part`;
  try {
    await rm(part, { force: true });
    const handle = await open(part, "wx", 0o600);
    try {
      for await (const bytes of source) await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const facts = await prove(part, password);
    await rename(part, file);
    await syncDirectory(dirname(file));
    return facts;
  } catch (error) {
    await rm(part, { force: true });
    throw brokenOff(error, file);
  }
}

/** As it comes: what reads it finds out whether it is whole. */
export async function pipeBackup(source: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await pipeline(source, process.stdout, { end: false });
  } catch (error) {
    throw brokenOff(error, "stdout");
  }
}

/** The exit status for what the system says of a file that is to be written; undefined where it says nothing such. */
export function cannotWrite(error: unknown): CliError | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const full = error instanceof AppError && error.code === "storage_full";
  if (!full && !CANNOT_WRITE.includes(code) && !isRefusedBySystem(sqliteCode(error))) return undefined;
  const message = error instanceof Error ? error.message : code;
  return new CliError(`it cannot be written (${message}); nothing was changed`, {
    exitCode: EXIT.cannotCreate,
    cause: error,
  });
}

/** A file to be read, piece by piece; who reads it hears of what is wrong, and where nobody does it is no crash. */
export function openSource(path: string): ReadStream {
  return createReadStream(path).on("error", () => undefined);
}

async function prove(
  path: string,
  password: Secret | undefined,
): Promise<{ created: string; server_key: string }> {
  const source = openSource(path);
  try {
    const backup = await openBackup(source);
    await backup.verify(password);
    const { created, server_key } = backup.header;
    return { created, server_key };
  } finally {
    source.destroy();
  }
}

function brokenOff(cause: unknown, file: string): Error {
  const written = cannotWrite(cause);
  if (written !== undefined) return written;
  if (cause instanceof CliError || cause instanceof AppError || cause instanceof StartError) return cause;
  const reason = cause instanceof BackupProblem ? `: ${cause.message}` : "";
  return new CliError(`the backup broke off${reason}; ${file} was not written`, {
    exitCode: EXIT.failed,
    cause,
  });
}

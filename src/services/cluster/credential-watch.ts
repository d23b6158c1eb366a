import { type FSWatcher, lstatSync, watch } from "node:fs";
import { join } from "node:path";
import { COMMIT_MARK, CREDENTIAL_FILES, draftOf, LEAVE_MARK } from "./credential-set.ts";

/** Looked at this often whatever the system tells: of a directory that is not there yet it tells nothing. */
const LOOK_EVERY_MS = 500;
const NAMES = ["", COMMIT_MARK, LEAVE_MARK, ...CREDENTIAL_FILES, ...CREDENTIAL_FILES.map(draftOf)];

/** Calls `changed` when the files in the directory, their modes or owners, or itself, may be others than before. */
export function watchCredentials(directory: string, changed: () => void): Disposable {
  let known = signatureOf(directory);
  let watcher: FSWatcher | undefined;
  const look = () => {
    const signature = signatureOf(directory);
    if (signature === known) return;
    known = signature;
    watchAnew();
    changed();
  };
  // The directory may be another one by now, and a watch stays with the one it was set on.
  const watchAnew = () => {
    watcher?.close();
    watcher = watchDirectory(directory, look);
  };
  watchAnew();
  const looking = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(looking);
      watcher?.close();
    },
  };
}

function signatureOf(directory: string): string {
  return NAMES.map((name) => signatureOfOne(join(directory, name))).join(" ");
}

function signatureOfOne(path: string): string {
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return "-";
    const { ino, mode, uid, size, mtimeMs, ctimeMs } = status;
    return [ino, mode, uid, size, mtimeMs, ctimeMs].join(":");
  } catch {
    return "?";
  }
}

function watchDirectory(path: string, noted: () => void): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, noted).on("error", () => undefined);
  } catch {
    return undefined;
  }
}

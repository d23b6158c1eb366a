import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import { readBoundedText } from "./bounded-text.ts";
import { CONFIG_FILE, FILE_BYTES } from "./load.ts";

/** Looked at this often whatever the system tells, for of some changes (a link on the way, a network) it tells nothing. */
const LOOK_EVERY_MS = 1000;
/** A file that did not change for so long is taken as written whole: editors empty it first, then write. */
const QUIET_MS = 200;

/** Calls `changed` when the configuration's file is another, or is there where there was none. */
export function watchConfig(
  config: { readonly configFile: string | undefined; readonly configDir: string },
  changed: () => void,
): Disposable {
  const path = config.configFile ?? join(config.configDir, CONFIG_FILE);
  return watchText(path, { maxBytes: FILE_BYTES, changed });
}

/**
 * Calls `changed` when the text of the file at `path` is another than before and has come to rest, however it was
 * saved: written in place, replaced by a rename, or reached through a link that was turned elsewhere. A file that is
 * gone or cannot be read is no change. `maxBytes` as for `readBoundedText`.
 */
export function watchText(
  path: string,
  { maxBytes, changed }: { readonly maxBytes: number; readonly changed: () => void },
): Disposable {
  const read = () => {
    const file = readBoundedText(path, maxBytes);
    return file.kind === "text" ? file.text : undefined;
  };
  let known = read();
  let seen = known;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const text = read();
    if (text === undefined || text === known) return;
    if (text !== seen) {
      seen = text;
      return wait();
    }
    known = text;
    changed();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(look, QUIET_MS);
    timer.unref();
  };
  const directory = watchDirectory(dirname(path), wait);
  // Its text, not its times: what changed before the first look at those would never be seen.
  const looking = setInterval(() => timer === undefined && look(), LOOK_EVERY_MS).unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearInterval(looking);
      directory?.close();
    },
  };
}

/** The directory, for a file that is replaced is another file. Undefined where the system has no watch left to give. */
function watchDirectory(path: string, noted: () => void): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, noted).on("error", () => undefined);
  } catch {
    return undefined;
  }
}

import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** As `writeFileDurably` and `loadProcessSecrets` name a file until it is whole. */
const DRAFT = /^(\..+\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp|.+\.[\da-f]{12}\.new)$/;

/**
 * Removes what a start or change that was cut off left half-written in a data directory: keys that were never used. Only
 * for the holder of the directory's lock, since to others a draft may be one that is being written.
 */
export function removeDrafts(dataDir: string): void {
  for (const directory of [join(dataDir, "secrets"), join(dataDir, "db")]) {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (DRAFT.test(name) && lstatSync(path).isFile()) rmSync(path);
    }
  }
}

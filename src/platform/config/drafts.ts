import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** As `writeFileDurably` and `loadProcessSecrets` name a file until it is whole. */
const DRAFT = /^(\..+\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp|.+\.[\da-f]{12}\.new)$/;

/**
 * Removes what a start that was cut off left half-written in `${dataDir}/secrets`: keys that were never used. Only
 * for the holder of the directory's lock, since to others a draft may be one that is being written.
 */
export function removeDrafts(dataDir: string): void {
  const secrets = join(dataDir, "secrets");
  for (const name of readdirSync(secrets)) {
    const path = join(secrets, name);
    if (DRAFT.test(name) && lstatSync(path).isFile()) rmSync(path);
  }
}

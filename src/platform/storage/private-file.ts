import { closeSync, openSync } from "node:fs";

/** Makes an empty file of mode 0600 unless `path` exists; an existing file is not opened. True when it was made. */
export function createPrivateFile(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

import { readFileSync, statSync } from "node:fs";
import { StartError } from "../lib/error.ts";

/** Far above any chain of certificates. */
const MOST_BYTES = 1024 * 1024;

/** The bytes of a certificate's or key's file. Throws StartError with the path. */
export function readPemFile(path: string): Buffer {
  try {
    const status = statSync(path);
    if (!status.isFile()) throw new StartError(`${path} is not a file`);
    if (status.size > MOST_BYTES) throw new StartError(`${path} is larger than ${MOST_BYTES} bytes`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    throw new StartError(`${path} cannot be read (${code})`, { cause });
  }
}

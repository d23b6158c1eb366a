import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Secret } from "#platform/lib/secret.ts";

/** Where a provider of the configuration file has a credential: sealed in the store, in the environment, in a file. */
export type CredentialSource =
  | { readonly secret: string }
  | { readonly env: string }
  | { readonly file: string };

/** Where a provider's credentials may be sent. */
export interface Destination {
  readonly origin: string;
  /** The HTTP proxy on the way there. */
  readonly proxy: string | undefined;
}

/** What was found at a source; `problem` is for the operator and says how to repair it. */
export type Found = { readonly secret: Secret } | { readonly problem: string };

export type EnvironmentLookup = (name: string) => string | undefined;

const MOST_FILE_BYTES = 64 * 1024;
/** What may go into a header: the same that the API takes. */
const VALUE = /^[\x21-\x7e]{1,8192}$/;

/** Reads what is not kept in the store, now. */
export async function readSource(
  source: Exclude<CredentialSource, { readonly secret: string }>,
  environment: EnvironmentLookup,
): Promise<Found> {
  if ("file" in source) return readFile(source.file);
  const value = environment(source.env);
  const what = `The environment variable ${source.env}`;
  // Set and empty is how a missing one often comes, out of a template.
  if (value === undefined || value === "") return { problem: `${what} is not set; set it and start anew.` };
  return checked(value, what);
}

async function readFile(path: string): Promise<Found> {
  const what = `The file ${path}`;
  try {
    // Without waiting: a pipe that nobody writes to must not hold up the start.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) return { problem: `${what} is no regular file.` };
    const mode = status.mode & 0o777;
    if ((mode & 0o077) !== 0)
      return { problem: `${what} is open to others (mode ${octal(mode)}): make it 0600 or 0400.` };
    const bytes = await readAtMost(file, MOST_FILE_BYTES + 1);
    if (bytes.length > MOST_FILE_BYTES)
      return { problem: `${what} is larger than ${MOST_FILE_BYTES} bytes.` };
    return checked(bytes.toString("latin1").replace(/\r?\n$/, ""), what);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return { problem: code === "ENOENT" ? `${what} does not exist.` : `${what} cannot be read (${code}).` };
  }
}

async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function checked(value: string, what: string): Found {
  if (VALUE.test(value)) return { secret: new Secret(value) };
  return { problem: `${what} must hold 1 to 8192 characters of printable ASCII without spaces.` };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

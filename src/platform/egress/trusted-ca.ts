import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { AppError } from "#platform/lib/error.ts";

/** Every authority a system trusts comes to a quarter of this. */
const MAX_PEM_BYTES = 1024 * 1024;

/** The certificate authorities of one `ca_file`, read anew for each connection so that a renewed file counts at once. */
export class TrustedCa {
  readonly #file: string;
  #read: { readonly pem: string; readonly context: SecureContext } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Trusts the file's authorities and no others. Throws AppError `upstream_unreachable` when it cannot be used. */
  async secureContext(): Promise<SecureContext> {
    try {
      const pem = await readPem(this.#file);
      if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw new Error("no certificate in it");
      if (this.#read?.pem !== pem) this.#read = { pem, context: createSecureContext({ ca: pem }) };
      return this.#read.context;
    } catch (cause) {
      const detail = cause instanceof Error && "code" in cause ? String(cause.code) : "no certificate in it";
      throw new AppError("upstream_unreachable", "The provider's ca_file cannot be read as certificates.", {
        detail: `ca_file: ${detail}`,
      });
    }
  }
}

/** A regular file of bounded size: a device would never end, and a pipe without a writer would hold a thread. */
async function readPem(file: string): Promise<string> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const facts = await handle.stat();
  if (!facts.isFile() || facts.size > MAX_PEM_BYTES) throw new Error("no file of certificates");
  return await handle.readFile("utf8");
}

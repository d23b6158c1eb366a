import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { ByteReader } from "./byte-reader.ts";
import { openChunks, sealChunks } from "./chunks.ts";
import { type BackupEntry, decodeEntries, encodeEntries } from "./entries.ts";
import { newFileKey, openFileKey, payloadKey } from "./file-key.ts";
import { type BackupFacts, type BackupHeader, encodeHead, readHead } from "./header.ts";

/** A backup whose header was read, and nothing more of it. */
export interface OpenedContainer {
  readonly header: BackupHeader;
  /**
   * Its files. Each piece of them is proven before it is given out, and that nothing was cut off only at the end: use
   * nothing of it before. Throws BackupProblem, also when `password` is missing, wrong or one too many.
   */
  entries(password: Secret | undefined): AsyncGenerator<BackupEntry>;
}

/**
 * A backup as docs/formats/backup.md lays it out, piece by piece. Without a password it shows any accident, and hides
 * and proves nothing.
 */
export async function* writeContainer(
  contents: { readonly facts: BackupFacts; readonly entries: Iterable<BackupEntry> },
  using: { readonly password: Secret | undefined; readonly cost: Argon2Parameters; readonly random: Random },
): AsyncGenerator<Uint8Array> {
  const { fileKey, slot } = await newFileKey(using.password, using);
  const { bytes, digest } = encodeHead({ ...contents.facts, file_key: slot });
  const key = payloadKey(fileKey, digest);
  yield bytes;
  yield* sealChunks(key, encodeEntries(contents.entries));
}

/** Reads the header. Throws BackupProblem when the file is of another program, newer or damaged. */
export async function openContainer(source: AsyncIterable<Uint8Array>): Promise<OpenedContainer> {
  const reader = new ByteReader(source);
  const { header, digest } = await readHead(reader);
  return {
    header,
    entries: async function* (password) {
      const key = payloadKey(await openFileKey(header.file_key, password), digest);
      yield* decodeEntries(new ByteReader(openChunks(key, reader.rest())));
    },
  };
}

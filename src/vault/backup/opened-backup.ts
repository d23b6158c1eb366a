import type { Secret } from "#platform/lib/secret.ts";
import { type OpenedContainer, openContainer } from "./container/container.ts";
import type { BackupHeader } from "./container/header.ts";
import { type PutBack, type PutBackParts, putValuesBack } from "./put-values-back.ts";
import { type Restored, type RestoreParts, restoreBackup } from "./restore.ts";
import { unpackBackup } from "./unpack.ts";
import type { ValueName } from "./value-in-backup.ts";

/**
 * A backup whose header was read, and all that it is good for. It is read as it comes, so only one of these is done with
 * it, once. Each throws BackupProblem, also when `password` is missing, wrong or one too many.
 */
export class OpenedBackup {
  readonly header: BackupHeader;
  readonly #container: OpenedContainer;

  constructor(container: OpenedContainer) {
    this.header = container.header;
    this.#container = container;
  }

  /** Reads it to its end, and writes nothing of it anywhere. */
  async verify(password: Secret | undefined): Promise<void> {
    for await (const _ of this.#container.entries(password));
  }

  /** See `unpackBackup`. */
  unpack(password: Secret | undefined, directory: string): Promise<readonly string[]> {
    return unpackBackup(this.#container, password, directory);
  }

  /** See `restoreBackup`. */
  restore(password: Secret | undefined, parts: RestoreParts): Promise<Restored> {
    return restoreBackup(this.#container, password, parts);
  }

  /** See `putValuesBack`. */
  putValuesBack(
    password: Secret | undefined,
    wanted: readonly ValueName[],
    parts: PutBackParts,
  ): Promise<PutBack> {
    return putValuesBack(this.#container, password, wanted, parts);
  }
}

/** Reads the header of a backup. Throws BackupProblem when the file is of another program, newer or damaged. */
export async function openBackup(source: AsyncIterable<Uint8Array>): Promise<OpenedBackup> {
  return new OpenedBackup(await openContainer(source));
}

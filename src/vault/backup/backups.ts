import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Database } from "#platform/storage/database.ts";
import {
  type BackupParts,
  type BackupWanted,
  discardCopies,
  type PreparedBackup,
  prepareBackup,
} from "./make-backup.ts";

/** Backups of a running server, one at a time: each is a copy of the store on the disk for as long as it is read. */
export class Backups {
  readonly #parts: BackupParts & { readonly database: Database; readonly audit: AuditRecorder };
  #busy = false;

  /** Removes what a process left that ended too early. */
  constructor(parts: BackupParts & { readonly database: Database; readonly audit: AuditRecorder }) {
    this.#parts = parts;
    discardCopies(parts.dataDir);
  }

  /**
   * Copies the store as it is now; which is audited. AppError `backup_busy` while another is read, and what
   * `prepareBackup` throws. The next one may begin when this one is disposed of.
   */
  async begin(wanted: BackupWanted, by: ChangeAuthor): Promise<PreparedBackup> {
    if (this.#busy) throw new AppError("backup_busy");
    this.#busy = true;
    try {
      const prepared = await prepareBackup(this.#parts, wanted);
      await using undo = new AsyncDisposableStack();
      undo.use(prepared);
      const { database, audit } = this.#parts;
      await database.transaction((query) => audit.append(query, entryOf(by)));
      undo.move();
      return { ...prepared, [Symbol.asyncDispose]: () => this.#end(prepared) };
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  async #end(prepared: PreparedBackup): Promise<void> {
    this.#busy = false;
    await prepared[Symbol.asyncDispose]();
  }
}

function entryOf({ principal, address, requestId }: ChangeAuthor): AuditEntry {
  const who = { actor: callerId(principal), address, requestId };
  return { ...who, action: "key.backup", target: null, outcome: "success", count: 1 };
}

import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { Database } from "#platform/storage/database.ts";
import { revokeKey } from "./store.ts";

interface Revocation {
  readonly revokedAt: number;
  readonly entry: AuditEntry;
}

/** Revocations in force that are not in the store yet, with their record. */
export class Revocations {
  readonly #database: Database;
  readonly #audit: AuditRecorder;
  readonly #unwritten = new Map<string, Revocation>();

  constructor(database: Database, audit: AuditRecorder) {
    this.#database = database;
    this.#audit = audit;
  }

  /** Keeps one, and writes it. Throws what the store throws; it is kept then, and logged. */
  async write(id: string, revocation: Revocation): Promise<void> {
    this.#unwritten.set(id, revocation);
    try {
      await this.#write(id);
    } catch (error) {
      this.#audit.unwritten(revocation.entry);
      throw error;
    }
  }

  /** Writes all that are kept. Throws what the store throws. */
  async flush(): Promise<void> {
    for (const id of [...this.#unwritten.keys()]) await this.#write(id);
  }

  /** When the key of this id was revoked, in milliseconds since the Unix epoch, while the store does not say so. */
  revokedAt(id: string): number | undefined {
    return this.#unwritten.get(id)?.revokedAt;
  }

  async #write(id: string): Promise<void> {
    const unwritten = this.#unwritten.get(id);
    if (unwritten === undefined) return;
    await this.#database.transaction(async (query) => {
      // The first writer records it; a flush that ran into it finds nothing left to do.
      if (await revokeKey(query, id, unwritten.revokedAt)) await this.#audit.append(query, unwritten.entry);
    });
    this.#unwritten.delete(id);
  }
}

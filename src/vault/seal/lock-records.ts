import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Query } from "#platform/storage/database.ts";
import { setLockedByHand } from "./store.ts";

/** Locks by hand that are in force and not in the store yet. */
export class LockRecords {
  readonly #parts: { readonly audit: Pick<AuditRecorder, "append">; readonly clock: Clock };
  readonly #unwritten: AuditEntry[] = [];

  constructor(parts: { audit: Pick<AuditRecorder, "append">; clock: Clock }) {
    this.#parts = parts;
  }

  get waiting(): boolean {
    return this.#unwritten.length > 0;
  }

  add(entry: AuditEntry): void {
    this.#unwritten.push(entry);
  }

  /** Writes all, in the caller's transaction. Gives what is to be called once that was committed. */
  async write(query: Query): Promise<() => void> {
    const { audit, clock } = this.#parts;
    const entries = [...this.#unwritten];
    for (const entry of entries) await audit.append(query, entry);
    if (entries.length > 0) await setLockedByHand(query, clock.now());
    return () => void this.#unwritten.splice(0, entries.length);
  }
}

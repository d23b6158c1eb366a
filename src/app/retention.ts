import type { AuditRecorder } from "#gates/audit/index.ts";
import type { Settings } from "#platform/config/settings.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { deleteOldest, type KeptTable, placeOfLast } from "#platform/storage/old-rows.ts";
import { RollUp } from "#services/gateway/index.ts";

const FIRST_RUN_MS = 60_000;
const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MEGABYTE = 1_000_000;
/** What a record of the audit takes with its share of the indexes and checkpoints, measured. */
const AUDIT_ROW_BYTES = 300;
/** No sum of these days goes for its size: the spend of the month is counted from them. */
const USAGE_STAYS_DAYS = 62;

type KeptSettings = Pick<
  Settings,
  "request_log_days" | "request_log_max_mb" | "audit_days" | "audit_max_mb" | "usage_days" | "usage_max_mb"
>;

interface Parts {
  readonly database: Database;
  readonly audit: Pick<AuditRecorder, "cutFront">;
  readonly settings: KeptSettings;
  readonly log: Log;
  readonly time: { readonly clock: Clock; readonly timers: Timers };
}

/**
 * Removes what is too old or too much, every hour, and gives the room back. All of it in statements of a few milliseconds, each of
 * which waits for its turn behind whatever else is asked of the store.
 */
export class Retention implements AsyncDisposable {
  readonly #parts: Parts;
  #next: Disposable | undefined;
  #running: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#plan(FIRST_RUN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#next?.[Symbol.dispose]();
    await this.#running;
  }

  #plan(inMs: number): void {
    this.#next = this.#parts.time.timers.after(inMs, () => {
      this.#plan(EVERY_MS);
      this.#running = this.#running.then(() => this.#run()).catch((error: unknown) => this.#failed(error));
    });
  }

  async #run(): Promise<void> {
    for (const kept of RollUp.keptTables) await this.#clear(kept);
    await this.#clearAudit();
    while (!this.#ended && (await this.#parts.database.shrink()));
  }

  async #clear(kept: KeptTable): Promise<void> {
    const { query } = this.#parts.database;
    const place = await this.#placeOf(kept);
    await this.#inSlices(kept.table, () => deleteOldest(query, kept, place));
  }

  /** Rows of before this go, in the unit of the table. */
  async #placeOf(kept: KeptTable): Promise<number> {
    const { database, settings, time } = this.#parts;
    const { days, maxMb } = boundsOf(kept, settings);
    const dayOf = (before: number) => Math.floor((time.clock.now() - before * DAY_MS) / kept.unitMs);
    const maxRows = Math.ceil((maxMb * MEGABYTE) / kept.rowBytes);
    const tooMuch = (await placeOfLast(database.query, kept, maxRows)) ?? 0;
    return Math.max(
      dayOf(days),
      kept.keptAs === "usage" ? Math.min(tooMuch, dayOf(USAGE_STAYS_DAYS)) : tooMuch,
    );
  }

  async #clearAudit(): Promise<void> {
    const { audit, settings, time, log } = this.#parts;
    const limit = {
      beforeMs: time.clock.now() - settings.audit_days * DAY_MS,
      maxRows: Math.ceil((settings.audit_max_mb * MEGABYTE) / AUDIT_ROW_BYTES),
    };
    await this.#inSlices("audit", async () => {
      const { rows, broken } = await audit.cutFront(limit);
      if (broken)
        log.error(
          {},
          "records of the audit are old enough to go, but were tampered with: claviger audit verify",
        );
      return broken ? 0 : rows;
    });
  }

  async #inSlices(name: string, removeSome: () => Promise<number>): Promise<void> {
    let rows = 0;
    for (let removed = 1; removed > 0 && !this.#ended; rows += removed) removed = await removeSome();
    if (rows > 0) this.#parts.log.info({ name, rows }, "old rows were removed");
  }

  #failed(error: unknown): void {
    const detail = error instanceof Error ? error.message : "";
    this.#parts.log.error({ detail }, "old rows could not be removed; it is tried again in an hour");
  }
}

function boundsOf({ keptAs }: KeptTable, settings: KeptSettings): { days: number; maxMb: number } {
  if (keptAs === "usage") return { days: settings.usage_days, maxMb: settings.usage_max_mb };
  return { days: settings.request_log_days, maxMb: settings.request_log_max_mb };
}

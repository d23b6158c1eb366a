import { toTimestamp } from "#platform/lib/clock.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { RowColumns } from "#platform/storage/insert-rows.ts";

/** One gateway request as it is kept: no column takes a client's text. */
export interface RequestRow {
  readonly time: number;
  readonly request_id: string;
  readonly principal: string;
  readonly provider: string | null;
  readonly model: string;
  readonly route: string;
  readonly status: number;
  readonly latency_ms: number;
  readonly first_byte_ms: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  /** Billionths of a US dollar. */
  readonly cost_nano_usd: number | null;
  /** 1 when a token figure is a guess. */
  readonly estimated: number;
  readonly streamed: number;
  /** 1 when the id tells the time. */
  readonly id_tells_time: number;
}

/** A row as the API and the log show it. */
interface RequestJson
  extends Omit<RequestRow, "time" | "route" | "streamed" | "cost_nano_usd" | "estimated" | "id_tells_time"> {
  readonly time: string;
  readonly cost_usd: number | null;
  readonly streamed: boolean;
}

export function toRequestJson(row: RequestRow): RequestJson {
  const { time, request_id, principal, provider, model, status, latency_ms, first_byte_ms } = row;
  const { input_tokens, output_tokens, cost_nano_usd } = row;
  return {
    time: toTimestamp(time),
    request_id,
    principal,
    provider,
    model,
    status,
    latency_ms,
    first_byte_ms,
    input_tokens,
    output_tokens,
    cost_usd: cost_nano_usd === null ? null : cost_nano_usd / 1_000_000_000,
    streamed: row.streamed === 1,
  };
}

const QUEUE_LIMIT = 20_000;
const BATCH_ROWS = 500;
const FLUSH_EVERY_MS = 100;

/** Where rows go. */
export interface RowSinks {
  readonly database: Pick<Database, "insertRows">;
  readonly log: Log;
  /** Whether rows are counted as lost, and not written, since the disk has no room for them. */
  readonly isPaused?: () => boolean;
  /** Counts one such row. */
  readonly onLost?: () => void;
  /** Hears every row, kept or dropped. */
  readonly onRow?: (row: RequestRow) => void;
}

interface RequestLogParts extends RowSinks {
  /** Whether each row is also a line of the log. */
  readonly print: boolean;
}

/** Rows wait in a bounded queue and are written in batches, off the hot path. A full queue is counted, never a wait. */
export class RequestLog {
  readonly #parts: RequestLogParts;
  #queue = new RowColumns<RequestRow>();
  /** Rows that wait or are being written. */
  #unwritten = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(parts: RequestLogParts) {
    this.#parts = parts;
  }

  add(row: RequestRow): void {
    this.#parts.onRow?.(row);
    if (this.#parts.print) this.#parts.log.info(toRequestJson(row), "gateway request");
    if (this.#parts.isPaused?.() === true) {
      this.#parts.onLost?.();
      return;
    }
    if (this.#unwritten >= QUEUE_LIMIT) {
      this.#dropped += 1;
      return;
    }
    this.#unwritten += 1;
    this.#queue.push(row);
    if (this.#queue.length >= BATCH_ROWS) this.#startFlush();
    else this.#timer ??= setTimeout(() => this.#startFlush(), FLUSH_EVERY_MS);
  }

  /** Waits until everything added so far is written or was given up. */
  async flush(): Promise<void> {
    this.#startFlush();
    await this.#flushing;
  }

  #startFlush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#queue;
    this.#queue = new RowColumns();
    this.#flushing = this.#flushing.then(() => this.#write(rows));
  }

  async #write(rows: RowColumns<RequestRow>): Promise<void> {
    try {
      if (rows.length > 0) await this.#parts.database.insertRows("request", rows);
      if (this.#dropped > 0)
        this.#parts.log.warn({ rows: this.#dropped }, "request rows were dropped: the store is too slow");
      this.#dropped = 0;
    } catch (error) {
      this.#parts.log.error(
        { rows: rows.length, detail: error instanceof Error ? error.message : "" },
        "request rows could not be written",
      );
    } finally {
      this.#unwritten -= rows.length;
    }
  }
}

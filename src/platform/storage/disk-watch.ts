import type { Timers } from "#platform/lib/timers.ts";
import { SharedFlag } from "../threads/shared-flag.ts";
import type { ReserveFile } from "./reserve-file.ts";

const LOOK_EVERY_MS = 2000;
/** Not at once: a server that ends again soon needs none. */
const REFILL_EVERY_MS = 10_000;
/** A tenth more than the bound has to be free until all is well again. */
const MARGIN_PART = 10;
/** A start needs this much for the store's log and what stands beside it. */
const START_BYTES = 2 * 1024 * 1024;

/** `low`: less is free than the bound; `full`: less than the reserve is to hold. */
export interface DiskStatus {
  readonly state: "ok" | "low" | "full";
  readonly freeBytes: number;
  readonly lowBytes: number;
  /** What the reserve holds now. */
  readonly reserveBytes: number;
}

interface Parts {
  /** Bytes that may still be written where the store is. */
  readonly freeBytes: () => number;
  readonly lowBytes: number;
  readonly reserve: ReserveFile;
  readonly timers: Timers;
}

/** Whether there is room on the disk for what is not needed, seen by all threads; and the reserve for what is. */
export class DiskWatch implements Disposable {
  /** Raised while the disk is low, or full. */
  readonly low = new SharedFlag();
  readonly #parts: Parts;
  #state: DiskStatus["state"] = "ok";
  readonly #tasks = new Map<string, Disposable>();
  #freeBytes = 0;
  #onChange: (status: DiskStatus) => void = () => {};

  /** Gives of the reserve where a start would not have enough. Throws what `freeBytes` throws. */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.#freeBytes = parts.freeBytes();
    while (parts.freeBytes() < START_BYTES && parts.reserve.give());
    this.look();
  }

  /** Looks at the disk from now on; `onChange` is told when it becomes low, and when it is no more, and of a low one at once. */
  start(onChange: (status: DiskStatus) => void): void {
    const status = this.look();
    if (status.state !== "ok") onChange(status);
    this.#onChange = onChange;
    this.#repeat("look", LOOK_EVERY_MS, () => void this.look());
    this.#repeat("refill", REFILL_EVERY_MS, () => this.#refill());
  }

  /** How it was at the last look, some two seconds ago at most. */
  get state(): DiskStatus["state"] {
    return this.#state;
  }

  /** How it is at this moment. */
  look(): DiskStatus {
    const { lowBytes, reserve } = this.#parts;
    const wasLow = this.low.raised;
    this.#freeBytes = this.#probe();
    const isLow = this.#freeBytes < (wasLow ? lowBytes + Math.ceil(lowBytes / MARGIN_PART) : lowBytes);
    const isFull = isLow && this.#freeBytes < reserve.wantedBytes;
    this.#state = isFull ? "full" : isLow ? "low" : "ok";
    const status = {
      state: this.#state,
      freeBytes: this.#freeBytes,
      lowBytes,
      reserveBytes: reserve.heldBytes,
    };
    if (isLow === wasLow) return status;
    if (isLow) this.low.raise();
    else this.low.lower();
    this.#onChange(status);
    return status;
  }

  [Symbol.dispose](): void {
    for (const task of this.#tasks.values()) task[Symbol.dispose]();
    this.#tasks.clear();
  }

  /** What cannot be asked for is as it was. */
  #probe(): number {
    try {
      return this.#parts.freeBytes();
    } catch {
      return this.#freeBytes;
    }
  }

  #repeat(name: string, everyMs: number, work: () => void): void {
    const again = () => {
      work();
      this.#tasks.set(name, this.#parts.timers.after(everyMs, again));
    };
    this.#tasks.set(name, this.#parts.timers.after(everyMs, again));
  }

  /** Only where as much again stays free: else what is given would be taken back at once. */
  #refill(): void {
    const { reserve } = this.#parts;
    const missing = Math.max(0, reserve.wantedBytes - reserve.heldBytes);
    if (missing > 0 && this.#probe() - missing < 2 * reserve.wantedBytes) return;
    // The disk may fill meanwhile; it is tried again.
    reserve.refill().catch(() => undefined);
  }
}

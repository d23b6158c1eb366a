import type { Admission } from "#platform/http/ports.ts";
import type { KeyLimits } from "./key-limits.ts";
import { LimitRecords } from "./limit-records.ts";
import { LimitedRequest } from "./limited-request.ts";
import type { LimiterMemory } from "./limiter-memory.ts";

/**
 * Holds every limited principal to its limits, exactly, whichever of the threads that share the memory its requests
 * come to. A principal is known by its slot, its number among all of this process.
 */
export class PrincipalLimiter {
  readonly #records: LimitRecords;

  /** `thread` is this thread's number: 0 is the main thread, and no two that run have the same. */
  constructor({ memory, thread }: { memory: LimiterMemory; thread: number }) {
    this.#records = new LimitRecords(memory, thread);
  }

  /**
   * Whether one more request of this principal may begin, at `nowMs`. One that may runs until `release`; one that may
   * not bears its refusal, and costs the principal nothing. Undefined for a principal without limits. Throws
   * RangeError for a slot beyond the memory's room.
   */
  begin(slot: number, limits: KeyLimits, nowMs: number): Admission | undefined {
    if (Object.keys(limits).length === 0) return undefined;
    return new LimitedRequest(this.#records, slot, limits, nowMs);
  }

  /**
   * Counts what the principal used in the UTC day and the UTC month of `nowMs` while it was not limited, or before this
   * process began: all of it is given, and what was counted already is not counted twice.
   */
  seed(slot: number, used: { dayTokens: number; monthNanoUsd: number }, nowMs: number): void {
    this.#records.seed(slot, used, nowMs);
  }

  /** For the main thread, when another is no more: ends its requests, and counts what they had set aside as used. */
  forget(thread: number): void {
    this.#records.forget(thread);
  }
}

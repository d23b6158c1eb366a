import type { AuditRecorder } from "#gates/audit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { DigestSecret } from "./key-digest.ts";
import type { KeyEvents } from "./key-events.ts";

/** What the keys are made of. */
export interface KeyParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** `API_KEY_SECRET`: without it the stored digests find no key. */
  readonly secret: DigestSecret;
  readonly audit: AuditRecorder;
  readonly events?: KeyEvents;
  /**
   * Called before a key is limited by the day or the month, so that what it used before counts: with the slot its
   * limits are counted in and the ids of all keys that are counted there. What it throws refuses the change.
   */
  readonly beforeLimits?: (counted: {
    readonly slot: number;
    readonly ids: readonly string[];
  }) => Promise<void>;
  /** For how many keys there is room at least, the stored ones and as many again apart; 2,000,000 unless given. */
  readonly roomFor?: number;
}

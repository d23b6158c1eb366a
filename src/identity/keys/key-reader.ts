import type { KeyLimits } from "#gates/ratelimit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { hasKeyShape, KEY_PREFIX, parseApiKey } from "./api-key.ts";
import { type Grant, GrantReader } from "./grants.ts";
import { keyDigest } from "./key-digest.ts";
import { keyId } from "./key-id.ts";
import type { KeyMemory } from "./key-memory.ts";
import { KeyTable } from "./key-table.ts";

/**
 * They have the shape of a key, and are none: judged in place of what has not, which so takes as long as a wrong key.
 * Several, for a processor learns the way through a text that it is given again and again.
 */
const DECOYS = Array.from({ length: 1024 }, (_, number) =>
  Buffer.from(`${KEY_PREFIX}${String(number).padStart(12, "0")}_${"0".repeat(49)}`),
);

/** Whom a presented key stands for. */
export interface KnownKey {
  readonly id: string;
  /** Its place in memory that threads share: 0, 1, 2 …; the same in every thread, another after a restart. */
  readonly slot: number;
  readonly permissionSets: readonly string[];
  readonly limits: Readonly<KeyLimits>;
}

export type Authentication =
  | { readonly ok: true; readonly key: KnownKey }
  | { readonly ok: false; readonly reason: "missing" | "malformed" | "unknown" | "revoked" };

/** What any thread can do with the issued keys. Keys are found by the HMAC-SHA256 of what a caller presents. */
export interface KeyReader {
  /** Whose key this is; every way of failing takes the same time, and the reason is for the log alone. */
  authenticate(presented: string | undefined): Authentication;
  /** Whether the key in this slot is not revoked. */
  holds(slot: number): boolean;
  /** What the key in this slot is limited to; undefined for a slot without a key. */
  limitsOf(slot: number): Readonly<KeyLimits> | undefined;
  /** Notes, in memory, that the key in this slot was used just now. */
  markUsed(slot: number): void;
}

/** Reads `memory` in this thread, whichever it is. `secret` is `API_KEY_SECRET`, under which keys were digested. */
export function attachKeys(memory: KeyMemory, secret: Secret, clock: Clock): KeyReader {
  return new AttachedKeys(memory, secret, clock);
}

class AttachedKeys implements KeyReader {
  readonly #table: KeyTable;
  readonly #grants: GrantReader;
  readonly #clock: Clock;
  readonly #digest: (text: string) => Buffer;
  /** Another number each time, in no order to speak of. */
  #turn = 1;

  constructor(memory: KeyMemory, secret: Secret, clock: Clock) {
    this.#table = new KeyTable(memory);
    this.#grants = new GrantReader(memory.grants);
    this.#clock = clock;
    this.#digest = keyDigest(secret);
  }

  /**
   * Whatever is presented, even nothing, costs one HMAC of the same length, one look-up, one comparison, one checksum:
   * the time taken tells a caller no more than the answer does.
   */
  authenticate(presented: string | undefined): Authentication {
    this.#turn = (Math.imul(this.#turn, 1664525) + 1013904223) >>> 0;
    const decoy = decoyOf(this.#turn);
    const long = presented?.length === decoy.length;
    const shaped = hasKeyShape(long ? presented : decoy) && long;
    const text = shaped ? presented : decoy;
    const digest = this.#digest(text);
    // Looked up at another place each time, for one that is looked at again and again is quicker to find.
    if (!shaped) digest.writeUInt32LE(this.#turn, digest.writeUInt32LE(this.#turn));
    const slot = this.#table.find(digest);
    const parsed = parseApiKey(text);
    if (presented === undefined || presented === "") return { ok: false, reason: "missing" };
    if (!shaped || !parsed.ok) return { ok: false, reason: "malformed" };
    if (slot === undefined) return { ok: false, reason: "unknown" };
    const grant = this.#table.isLive(slot) ? this.#grantOf(slot) : undefined;
    if (grant === undefined) return { ok: false, reason: "revoked" };
    return { ok: true, key: { id: keyId(parsed.id), slot, ...grant } };
  }

  holds(slot: number): boolean {
    return this.#table.isLive(slot);
  }

  limitsOf(slot: number): Readonly<KeyLimits> | undefined {
    return this.#grantOf(slot)?.limits;
  }

  markUsed(slot: number): void {
    this.#table.use(slot, Math.floor(this.#clock.now() / 1000));
  }

  #grantOf(slot: number): Grant | undefined {
    const number = this.#table.grantOf(slot);
    return number === undefined ? undefined : this.#grants.at(number);
  }
}

/** Copied, for a text that is used again and again is quicker to hash than one that has just come. */
function decoyOf(turn: number): string {
  return DECOYS[(turn >>> 16) % DECOYS.length]?.toString("latin1") ?? "";
}

import type { KeyLimits } from "#gates/ratelimit/index.ts";
import { NOWHERE } from "#platform/lib/address-ranges.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { hasKeyShape, KEY_LENGTH, KEY_PREFIX, parseApiKey, publicIdIn } from "./api-key.ts";
import { GrantReader } from "./grants.ts";
import { type DigestSecret, keyDigest } from "./key-digest.ts";
import { keyId } from "./key-id.ts";
import type { KeyMemory } from "./key-memory.ts";
import { KeyTable } from "./key-table.ts";
import { LastAddresses } from "./last-addresses.ts";

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
  /** Patterns of the models and APIs it is for; undefined for all. */
  readonly models: readonly string[] | undefined;
}

type Reason = "missing" | "malformed" | "unknown" | "revoked" | "expired" | "wrong_address";

export type Authentication =
  | { readonly ok: true; readonly key: KnownKey }
  | { readonly ok: false; readonly reason: Reason };

/** What any thread can do with the issued keys. Keys are found by the HMAC-SHA256 of what a caller presents. */
export interface KeyReader {
  /**
   * Whose key this is, presented from `address`, null where that is not known; every way of failing takes the same time,
   * and the reason is for the log alone.
   */
  authenticate(presented: string | undefined, address?: string | null): Authentication;
  /** Whether the key in this slot is neither revoked nor expired. */
  holds(slot: number): boolean;
  /** Whether the key in this slot is not revoked, and has expired. */
  hasExpired(slot: number): boolean;
  /** What the key in this slot is limited to; undefined for a slot without a key. */
  limitsOf(slot: number): Readonly<KeyLimits> | undefined;
  /** The slot under which its limits are counted: its own, or that of the first key of those it replaces. */
  limitSlotOf(slot: number): number;
  /** Notes, in memory, that the key in this slot was used just now, and from where. */
  markUsed(slot: number, address?: string | null): void;
}

/** Reads `memory` in this thread, whichever it is. `secret` is `API_KEY_SECRET`, under which keys were digested. */
export function attachKeys(memory: KeyMemory, secret: DigestSecret, clock: Clock): KeyReader {
  return new AttachedKeys(memory, secret, clock);
}

class AttachedKeys implements KeyReader {
  readonly #table: KeyTable;
  readonly #grants: GrantReader;
  readonly #clock: Clock;
  readonly #digest: (text: string) => Buffer;
  readonly #addresses: LastAddresses;
  /** Written to in place of a digest that stays as it is. */
  readonly #unused = Buffer.alloc(8);
  /** Another number each time, in no order to speak of. */
  #turn = 1;

  constructor(memory: KeyMemory, secret: DigestSecret, clock: Clock) {
    this.#table = new KeyTable(memory);
    this.#grants = new GrantReader(memory.grants);
    this.#clock = clock;
    this.#digest = keyDigest(secret);
    this.#addresses = new LastAddresses(memory);
  }

  /**
   * A key that holds costs one HMAC, one look-up and one comparison. Whatever else is presented, even nothing, costs in
   * addition a decoy, one checksum and the reading of an address: the time taken tells a caller no more than the answer does.
   */
  authenticate(presented: string | undefined, address: string | null = null): Authentication {
    this.#turn = (Math.imul(this.#turn, 1664525) + 1013904223) >>> 0;
    const isLong = presented?.length === KEY_LENGTH;
    if (!isLong || !hasKeyShape(presented)) return this.#refuseShapeless(presented, address);
    const slot = this.#table.find(this.#digest(presented));
    const grant = slot === undefined ? undefined : this.#grantOf(slot);
    const nowMs = this.#clock.now();
    if (slot === undefined || grant === undefined) return this.#refuse(presented, "unknown", address);
    // Looked at of a revoked key too, which would be the quickest to refuse.
    const isOver = this.#table.expiresAtMs(slot) <= nowMs;
    if (!this.#table.isLive(slot)) return this.#refuse(presented, "revoked", address);
    if (isOver) return this.#refuse(presented, "expired", address);
    if (grant.ranges?.holds(address) === false) return this.#refuse(presented, "wrong_address");
    const { permissionSets, limits, models } = grant;
    return { ok: true, key: { id: keyId(publicIdIn(presented)), slot, permissionSets, limits, models } };
  }

  /** A decoy in its place is looked up, another place each time: one that is looked at again and again is quicker to find. */
  #refuseShapeless(presented: string | undefined, address: string | null): Authentication {
    const decoy = this.#decoy();
    if (presented?.length !== KEY_LENGTH) hasKeyShape(decoy);
    const digest = this.#digest(decoy);
    digest.writeUInt32LE(this.#turn, digest.writeUInt32LE(this.#turn));
    this.#table.find(digest);
    parseApiKey(decoy);
    NOWHERE.holds(address);
    this.#clock.now();
    return { ok: false, reason: presented === undefined || presented === "" ? "missing" : "malformed" };
  }

  /** `address` is undefined where one was read already. */
  #refuse(presented: string, reason: Reason, address?: string | null): Authentication {
    this.#decoy();
    this.#unused.writeUInt32LE(this.#turn, this.#unused.writeUInt32LE(this.#turn));
    const isWhole = parseApiKey(presented).ok;
    if (address !== undefined) NOWHERE.holds(address);
    return { ok: false, reason: isWhole ? reason : "malformed" };
  }

  /** Copied, for a text that is used again and again is quicker to hash than one that has just come. */
  #decoy(): string {
    return DECOYS[(this.#turn >>> 16) % DECOYS.length]?.toString("latin1") ?? "";
  }

  holds(slot: number): boolean {
    return this.#table.isLive(slot) && !this.#isOver(slot);
  }

  hasExpired(slot: number): boolean {
    return this.#table.isLive(slot) && this.#isOver(slot);
  }

  limitsOf(slot: number): Readonly<KeyLimits> | undefined {
    return this.#grantOf(slot)?.limits;
  }

  limitSlotOf(slot: number): number {
    return this.#grantOf(slot)?.limitSlot ?? slot;
  }

  markUsed(slot: number, address: string | null = null): void {
    const nowS = Math.floor(this.#clock.now() / 1000);
    if (this.#table.usedAtS(slot) === nowS) return;
    // First: once the use is noted, its address can be written to the store.
    if (address !== null) this.#addresses.note(slot, address);
    this.#table.use(slot, nowS);
  }

  #isOver(slot: number): boolean {
    const expiresAtMs = this.#table.expiresAtMs(slot);
    return expiresAtMs !== Infinity && expiresAtMs <= this.#clock.now();
  }

  #grantOf(slot: number): ReturnType<GrantReader["at"]> | undefined {
    const number = this.#table.grantOf(slot);
    return number === undefined ? undefined : this.#grants.at(number);
  }
}

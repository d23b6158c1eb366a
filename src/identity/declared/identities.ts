import { hash } from "node:crypto";
import type { KeyLimits } from "#gates/ratelimit/index.ts";
import { AddressRanges, NOWHERE } from "#platform/lib/address-ranges.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import { parsePublicHash } from "../keys/index.ts";
import {
  openSlowHashes,
  type RefusalBeforeWork,
  type SlowHashes,
  type SlowIdentity,
} from "../slow-hashes/index.ts";
import type { IdentityMemory, IdentityRecord } from "./identity.ts";

export type IdentityVerdict =
  | { readonly ok: true; readonly identity: IdentityRecord }
  | { readonly ok: false; readonly reason: "unknown" | "expired" | "wrong_address" };

interface Held {
  readonly record: IdentityRecord;
  /** Undefined where any address will do. */
  readonly addresses: AddressRanges | undefined;
}

/** Reads them in this thread, whichever it is; none is declared yet. */
export function attachIdentities(
  memory: IdentityMemory,
  tools: { readonly clock: Clock; readonly random: Random },
): Identities {
  return new Identities({ memory, clock: tools.clock, slow: openSlowHashes([], tools) });
}

const UNKNOWN: IdentityVerdict = { ok: false, reason: "unknown" };

/**
 * The identities of the configuration file, in one thread. Those of our own keys are found by the SHA-256 of what a
 * caller presents, which is enough because a key has 256 random bits: no way of looking one up tells anything that helps
 * to guess it. Those that were imported with a slow hash are tried by `SlowHashes`.
 */
export class Identities {
  readonly #clock: Clock;
  readonly #slow: SlowHashes;
  readonly #firstSlot: number;
  readonly #usedAt: Uint32Array;
  #byDigest: ReadonlyMap<string, Held> = new Map();
  #bySlot: ReadonlyMap<number, Held> = new Map();
  #slowByName: ReadonlyMap<string, Held> = new Map();

  constructor(parts: { readonly memory: IdentityMemory; readonly clock: Clock; readonly slow: SlowHashes }) {
    this.#clock = parts.clock;
    this.#slow = parts.slow;
    this.#firstSlot = parts.memory.firstSlot;
    this.#usedAt = new Uint32Array(parts.memory.usedAt);
  }

  /** These and no others hold from now on. Throws StartError for more slow hashes than are taken; nothing changes then. */
  declare(records: readonly IdentityRecord[]): void {
    const byDigest = new Map<string, Held>();
    const slowByName = new Map<string, Held>();
    const slow: SlowIdentity[] = [];
    for (const record of records) {
      const held = {
        record,
        addresses: record.allowedIps.length === 0 ? undefined : new AddressRanges(record.allowedIps),
      };
      const known = parsePublicHash(record.hash);
      if ("malformed" in known) throw new Error(`the hash of identity ${record.name} was not checked`);
      if (known.algorithm === "sha256") {
        byDigest.set(known.digest.toString("base64url"), held);
      } else {
        slowByName.set(record.name, held);
        slow.push({ name: record.name, hash: known });
      }
    }
    this.#slow.replace(slow);
    this.#byDigest = byDigest;
    this.#slowByName = slowByName;
    this.#bySlot = new Map(
      [...byDigest.values(), ...slowByName.values()].map((held) => [held.record.slot, held]),
    );
  }

  /**
   * Whose key this is, presented from `address`. Without an identity of that sort nothing is looked up; with one
   * whatever is presented, even nothing, costs the same.
   */
  authenticate(presented: string | undefined, address: string | null): IdentityVerdict {
    if (this.#byDigest.size === 0) return UNKNOWN;
    const text = presented?.length === DECOY.length ? presented : DECOY;
    return this.#judge(this.#byDigest.get(digestOf(text)), address);
  }

  /** The name of the identity whose key this text is, its expiry aside; of slow hashes only what was tried before is known. */
  nameOf(text: string): string | undefined {
    return this.#byDigest.get(digestOf(text))?.record.name ?? this.#slow.recall(text)?.name;
  }

  /** Whether any of these names, or of all where they are undefined, is of an identity whose hash is slow. */
  someSlow(names: ReadonlySet<string> | undefined): boolean {
    if (names === undefined) return this.#slowByName.size > 0;
    for (const name of this.#slowByName.keys()) if (names.has(name)) return true;
    return false;
  }

  /**
   * As `authenticate`, of those whose hash is slow; at once where the text was tried before. `refusal` stands before the
   * work, and is thrown. Throws AppError `rate_limited` when too many wait.
   */
  authenticateSlowly(
    text: string,
    address: string | null,
    refusal: RefusalBeforeWork,
  ): IdentityVerdict | Promise<IdentityVerdict> {
    const judge = (name: string | undefined) =>
      this.#judge(name === undefined ? undefined : this.#slowByName.get(name), address);
    const known = this.#slow.recall(text);
    return known === undefined ? this.#slow.verify(text, refusal).then(judge) : judge(known.name);
  }

  /** Whether the identity in this slot is still declared, under the same id, and has not expired. */
  holds(slot: number, id: string): boolean {
    const held = this.#bySlot.get(slot);
    return held !== undefined && held.record.id === id && !this.#isOver(held);
  }

  /** Whether the identity in this slot is still declared, under the same id, and has expired. */
  hasExpired(slot: number, id: string): boolean {
    const held = this.#bySlot.get(slot);
    return held !== undefined && held.record.id === id && this.#isOver(held);
  }

  limitsOf(slot: number): Readonly<KeyLimits> | undefined {
    return this.#bySlot.get(slot)?.record.limits;
  }

  /** Notes, in memory, that it was used just now. */
  markUsed(slot: number): void {
    const second = Math.floor(this.#clock.now() / 1000);
    const index = slot - this.#firstSlot;
    if (Atomics.load(this.#usedAt, index) !== second) Atomics.store(this.#usedAt, index, second);
  }

  #judge(held: Held | undefined, address: string | null): IdentityVerdict {
    if (held === undefined) return refused("unknown", address);
    if (this.#isOver(held)) return refused("expired", address);
    if (held.addresses?.holds(address) === false) return { ok: false, reason: "wrong_address" };
    return { ok: true, identity: held.record };
  }

  #isOver({ record }: Held): boolean {
    return record.expiresAt !== undefined && record.expiresAt <= this.#clock.now();
  }
}

/** As dear as the refusal of a key presented from another address than its own. */
function refused(reason: "unknown" | "expired", address: string | null): IdentityVerdict {
  NOWHERE.holds(address);
  return { ok: false, reason };
}

function digestOf(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Presented where nothing of a key's length is, so that it takes as long. */
const DECOY = "0".repeat(74);

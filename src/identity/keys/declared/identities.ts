import { createHash } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { KeyLimits } from "#gates/ratelimit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { IdentityMemory, IdentityRecord } from "./identity.ts";

export type IdentityVerdict =
  | { readonly ok: true; readonly identity: IdentityRecord }
  | { readonly ok: false; readonly reason: "unknown" | "expired" | "wrong_address" };

interface Held {
  readonly record: IdentityRecord;
  /** Undefined where any address will do. */
  readonly addresses: BlockList | undefined;
}

/**
 * The identities of the configuration file, in one thread. They are found by the SHA-256 of what a caller presents, which
 * is enough because a key has 256 random bits: no way of looking one up tells anything that helps to guess it.
 */
export class Identities {
  readonly #clock: Clock;
  readonly #firstSlot: number;
  readonly #usedAt: Uint32Array;
  #byDigest: ReadonlyMap<string, Held> = new Map();
  #bySlot: ReadonlyMap<number, Held> = new Map();

  constructor(memory: IdentityMemory, clock: Clock) {
    this.#clock = clock;
    this.#firstSlot = memory.firstSlot;
    this.#usedAt = new Uint32Array(memory.usedAt);
  }

  /** Whether there is any: without one nobody need be looked up. */
  get some(): boolean {
    return this.#byDigest.size > 0;
  }

  /** These and no others hold from now on. */
  declare(records: readonly IdentityRecord[]): void {
    const held = records.map((record) => ({ record, addresses: addressesOf(record.allowedIps) }));
    this.#byDigest = new Map(held.map((each) => [each.record.sha256, each]));
    this.#bySlot = new Map(held.map((each) => [each.record.slot, each]));
  }

  /** Whose key this is, presented from `address`; null on the control socket. One look-up whatever comes out of it. */
  authenticate(text: string, address: string | null): IdentityVerdict {
    const held = this.#byDigest.get(createHash("sha256").update(text).digest("base64url"));
    if (held === undefined) return { ok: false, reason: "unknown" };
    if (this.#isOver(held)) return { ok: false, reason: "expired" };
    if (!admits(held.addresses, address)) return { ok: false, reason: "wrong_address" };
    return { ok: true, identity: held.record };
  }

  /** Whether the identity in this slot is still declared, under the same id, and has not expired. */
  holds(slot: number, id: string): boolean {
    const held = this.#bySlot.get(slot);
    return held !== undefined && held.record.id === id && !this.#isOver(held);
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

  #isOver({ record }: Held): boolean {
    return record.expiresAt !== undefined && record.expiresAt <= this.#clock.now();
  }
}

function addressesOf(ranges: readonly string[]): BlockList | undefined {
  if (ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** An IPv4 address that came in over IPv6 is the IPv4 address. */
function admits(addresses: BlockList | undefined, address: string | null): boolean {
  if (addresses === undefined) return true;
  if (address === null) return false;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return addresses.check(plain, isIP(plain) === 4 ? "ipv4" : "ipv6");
}

import {
  AddressFailures,
  type AddressMemory,
  createAddressMemory,
  createLimiterMemory,
  type LimiterMemory,
  PrincipalLimiter,
  usedByAll,
  usedInWindows,
} from "#gates/ratelimit/index.ts";
import type { DeclaredIdentities } from "#identity/declared/index.ts";
import type { IssuedKeys, KeyReader } from "#identity/keys/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";

/** What the limits of all threads are counted in; can be sent to another thread. */
export interface LimitsMemory {
  readonly principals: LimiterMemory;
  readonly addresses: AddressMemory;
}

/** The limits as one thread holds them. */
export interface Limits {
  readonly principals: PrincipalLimiter;
  readonly addresses: AddressFailures;
}

/** Made once, in the main thread, for so many callers with limits and so many threads in all. */
export function createLimitsMemory({
  principals,
  threads,
  random,
}: {
  readonly principals: number;
  readonly threads: number;
  readonly random: Random;
}): LimitsMemory {
  return {
    principals: createLimiterMemory({ principals, threads }),
    addresses: createAddressMemory(random),
  };
}

/** The limits in the thread of this number; the main thread is 0. */
export function attachLimits({ principals, addresses }: LimitsMemory, thread: number): Limits {
  return {
    principals: new PrincipalLimiter({ memory: principals, thread }),
    addresses: new AddressFailures({ memory: addresses, thread }),
  };
}

/** For the main thread, before the first request: counts what keys and identities used of the running day and month. */
export async function seedWindows(
  parts: {
    readonly database: Database;
    readonly clock: Clock;
    readonly keys: IssuedKeys;
    readonly identities: DeclaredIdentities;
  },
  { principals }: Limits,
): Promise<void> {
  const nowMs = parts.clock.now();
  const { reader } = parts.keys;
  const bySlot = new Map<number, { dayTokens: number; monthNanoUsd: number }>();
  for (const { principal, dayTokens, monthNanoUsd } of await usedInWindows(parts.database.query, nowMs)) {
    const identity = parts.identities.slotOf(principal);
    if (identity !== undefined) principals.seed(identity, { dayTokens, monthNanoUsd }, nowMs);
    const slot = parts.keys.slotOf(principal);
    if (slot === undefined || !isWindowed(reader.limitsOf(slot))) continue;
    const before = bySlot.get(reader.limitSlotOf(slot));
    bySlot.set(reader.limitSlotOf(slot), {
      dayTokens: dayTokens + (before?.dayTokens ?? 0),
      monthNanoUsd: monthNanoUsd + (before?.monthNanoUsd ?? 0),
    });
  }
  for (const [slot, used] of bySlot) principals.seed(slot, used, nowMs);
}

/** Before keys that are counted in this slot are limited: counts what they used of the running day and month. */
export async function seedSlot(
  parts: { readonly database: Database; readonly clock: Clock },
  { principals }: Limits,
  counted: { readonly slot: number; readonly ids: readonly string[] },
): Promise<void> {
  const nowMs = parts.clock.now();
  principals.seed(counted.slot, await usedByAll(parts.database.query, counted.ids, nowMs), nowMs);
}

function isWindowed(limits: ReturnType<KeyReader["limitsOf"]>): boolean {
  return (limits?.tokens_per_day ?? limits?.spend_usd_per_month) !== undefined;
}

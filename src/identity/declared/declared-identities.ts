import type { KeyLimits } from "#gates/ratelimit/index.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import type { DeclaredIdentity, IdentityMemory, IdentityRecord } from "./identity.ts";
import { IdentitySlots } from "./identity-slots.ts";
import { identityUses, writeIdentityUses } from "./store.ts";

const WRITE_EVERY_MS = 60_000;

/** An identity as the API shows it; times are RFC 3339 in UTC. */
export interface IdentityRow {
  id: string;
  name: string;
  source: "file";
  permissions: string[];
  limits: KeyLimits;
  allowed_ips: string[];
  expires_at: string | null;
  last_used_at: string | null;
}

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly memory: IdentityMemory;
}

/** Opens the identities of the file, of which there are none yet, with the last uses the store knows of. */
export async function openDeclaredIdentities(parts: Parts): Promise<DeclaredIdentities> {
  return new DeclaredIdentities(parts, await identityUses(parts.database.query));
}

/** The identities of the file, in the one thread that reads it. */
export class DeclaredIdentities {
  readonly #parts: Parts;
  readonly #slots: IdentitySlots;
  readonly #usedAtS: Uint32Array;
  /** In milliseconds, by id: what the store has. */
  readonly #written: Map<string, number>;
  /** Ids of those whose end was told. */
  readonly #expired = new Set<string>();
  #records: readonly IdentityRecord[] = [];

  constructor(parts: Parts, written: ReadonlyMap<string, number>) {
    this.#parts = parts;
    this.#slots = new IdentitySlots(parts.memory);
    this.#usedAtS = new Uint32Array(parts.memory.usedAt);
    this.#written = new Map(written);
  }

  get records(): readonly IdentityRecord[] {
    return this.#records;
  }

  /**
   * These and no others are declared from now on: gives them as every thread is to be told, and the ids whose running
   * answers are to end, since they are gone or their key is another. Throws AppError `keys_full`; nothing changes then.
   */
  declare(identities: readonly DeclaredIdentity[]): { records: readonly IdentityRecord[]; ended: string[] } {
    const records = this.#slots.place(identities);
    const keyOf = new Map(records.map(({ id, hash }) => [id, hash]));
    const ended = this.#records.filter(({ id, hash }) => keyOf.get(id) !== hash).map(({ id }) => id);
    this.#records = records;
    return { records, ended };
  }

  /** The ids of those that expired since it was last called. Requests are refused without it; running ones end by it. */
  takeExpired(): string[] {
    const now = this.#parts.clock.now();
    const over = this.#records.filter(({ expiresAt = Infinity }) => expiresAt <= now).map(({ id }) => id);
    const fresh = over.filter((id) => !this.#expired.has(id));
    this.#expired.clear();
    for (const id of over) this.#expired.add(id);
    return fresh;
  }

  slotOf(id: string): number | undefined {
    return this.#slots.slotOf(id);
  }

  /** Those whose name is `visible`. */
  list(visible: (name: string) => boolean): IdentityRow[] {
    return this.#records.filter((record) => visible(record.name)).map((record) => this.#row(record));
  }

  find(name: string): IdentityRow | undefined {
    const record = this.#records.find((record) => record.name === name);
    return record && this.#row(record);
  }

  /** Writes last uses, of each identity at most once a minute. Throws what the store throws. */
  async flush(): Promise<void> {
    const uses = this.#records.flatMap((record) => {
      const usedAt = this.#usedAt(record) ?? 0;
      const before = this.#written.get(record.id) ?? 0;
      return usedAt >= before + WRITE_EVERY_MS ? [{ id: record.id, last_used_at: usedAt }] : [];
    });
    if (uses.length === 0) return;
    await writeIdentityUses(this.#parts.database.query, uses);
    for (const { id, last_used_at: usedAt } of uses) this.#written.set(id, usedAt);
  }

  #row(record: IdentityRecord): IdentityRow {
    const usedAt = this.#usedAt(record);
    return {
      id: record.id,
      name: record.name,
      source: "file",
      permissions: [...record.permissionSets],
      limits: { ...record.limits },
      allowed_ips: [...record.allowedIps],
      expires_at: record.expiresAt === undefined ? null : toTimestamp(record.expiresAt),
      last_used_at: usedAt === undefined ? null : toTimestamp(usedAt),
    };
  }

  /** In milliseconds; undefined for one that was never used. */
  #usedAt({ id, slot }: IdentityRecord): number | undefined {
    const here = (this.#usedAtS[slot - this.#parts.memory.firstSlot] ?? 0) * 1000;
    const usedAt = Math.max(here, this.#written.get(id) ?? 0);
    return usedAt === 0 ? undefined : usedAt;
  }
}

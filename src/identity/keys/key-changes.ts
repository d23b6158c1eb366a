import type { PermissionSets } from "#gates/access/index.ts";
import type { AuditEntry } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { Query } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import { changedGrant } from "./changed-grant.ts";
import type { Grant } from "./grants.ts";
import type { HeldKeys } from "./held-keys.ts";
import { keyDigest } from "./key-digest.ts";
import { publicIdOf } from "./key-id.ts";
import { columnsOf, grantIn } from "./key-list.ts";
import { nameUntil, refuseTaken } from "./key-names.ts";
import type { KeyParts } from "./key-parts.ts";
import type { ChangedKeyTerms, NewKeyTerms } from "./key-terms.ts";
import { type MadeKey, makeKey } from "./made-key.ts";
import { refuseMightier, refuseMoreThanOwn } from "./rights.ts";
import { findKey, insertKey, type ListedKey, rotatedWith, type StoredKey, updateKey } from "./store.ts";

/** A key that is to be, as one asks for it. */
export interface NewKey extends NewKeyTerms {
  readonly name: ResourceName;
}

/** What of a key is to be another; what is absent stays. */
export interface KeyChange extends ChangedKeyTerms {
  readonly name?: ResourceName | undefined;
}

/** Who asks, and the sets that say what he may hand out. */
interface Asker {
  readonly by: ChangeAuthor;
  readonly sets: PermissionSets;
}

/** Makes keys and changes them: the store first, then, within the same turn, memory, where it holds for all threads. */
export class KeyChanges {
  readonly #parts: KeyParts;
  readonly #held: HeldKeys;
  readonly #tools: Parameters<typeof makeKey>[0];
  /** One change after another, so that memory has the same last word as the store. */
  readonly #turn = new Turn();

  constructor(parts: KeyParts, held: HeldKeys) {
    this.#parts = parts;
    this.#held = held;
    this.#tools = { ...parts, digest: keyDigest(parts.secret) };
  }

  /** See `IssuedKeys.create`. */
  async create(wanted: NewKey, { by, sets }: Asker): Promise<MadeKey> {
    const { name, permissions, limits = {}, models, expires_at = null, allowed_ips: allowedIps } = wanted;
    const grant: Grant = { permissionSets: permissions, limits, models, allowedIps };
    refuseMoreThanOwn(by.principal, grant, sets);
    this.#refusePast(expires_at);
    // Room for it comes first: a key in the store that no thread can find would be worse than none.
    using _slot = this.#held.writer.reserve();
    const number = this.#held.grants.numberOf(grant);
    const made = makeKey(this.#tools, { ...columnsOf(grant), name, expires_at });
    await this.#parts.database.transaction(async (query) => {
      await refuseTaken(query, name);
      await insertKey(query, made.key);
      await this.#parts.audit.append(query, changeEntry("key.create", made.key.id, by));
    });
    this.#add(made.key, number);
    return made;
  }

  /** See `IssuedKeys.update`. */
  async update(id: string, change: KeyChange, { by, sets }: Asker): Promise<ListedKey> {
    this.#refusePast(change.expires_at);
    const end = await this.#turn.take();
    try {
      await this.#countBefore(id, change);
      const { key, grant } = await this.#parts.database.transaction(async (query) => {
        const before = await this.#inForce(query, id);
        const held = grantIn(before);
        refuseMightier(by.principal, held, sets);
        const wanted = changedGrant(held, change);
        if (change.permissions !== undefined) refuseMoreThanOwn(by.principal, wanted, sets);
        else refuseMightier(by.principal, wanted, sets);
        const { name = before.name, expires_at = before.expires_at } = change;
        if (name !== before.name) await refuseTaken(query, name);
        const columns = { ...columnsOf(wanted), name, expires_at };
        await updateKey(query, id, columns);
        await this.#parts.audit.append(query, changeEntry("key.update", id, by));
        return { key: { ...before, ...columns }, grant: this.#numberOf(id, wanted) };
      });
      this.#setTerms(id, { grant, expiresAt: key.expires_at });
      return key;
    } finally {
      end();
    }
  }

  /** See `IssuedKeys.rotate`. */
  async rotate(id: string, overlapMs: number, { by, sets }: Asker): Promise<MadeKey> {
    const end = await this.#turn.take();
    try {
      using _slot = this.#held.writer.reserve();
      const { made, old } = await this.#parts.database.transaction(async (query) => {
        const before = await this.#inForce(query, id);
        refuseMightier(by.principal, grantIn(before), sets);
        this.#refuseRotated(before);
        return await this.#succeed(query, { before, overlapMs, by });
      });
      const grant = this.#numberOf(id, grantIn(made.key));
      this.#add(made.key, grant);
      this.#setTerms(id, { grant, expiresAt: old.expires_at });
      return made;
    } finally {
      end();
    }
  }

  async #countBefore(id: string, { limits }: KeyChange): Promise<void> {
    const slot = this.#held.writer.slotOf(publicIdOf(id));
    if (slot === undefined || (limits?.tokens_per_day ?? limits?.spend_usd_per_month ?? null) === null)
      return;
    const ids = await rotatedWith(this.#parts.database.query, id);
    await this.#parts.beforeLimits?.({ slot: this.#held.reader.limitSlotOf(slot), ids });
  }

  async #succeed(
    query: Query,
    { before, overlapMs, by }: { before: ListedKey; overlapMs: number; by: ChangeAuthor },
  ): Promise<{ made: MadeKey; old: Pick<ListedKey, "expires_at"> }> {
    const untilMs = Math.min(this.#parts.clock.now() + overlapMs, before.expires_at ?? Infinity);
    const { name: ownName, expires_at } = before;
    const made = makeKey(this.#tools, { ...columnsOf(grantIn(before)), name: ownName, expires_at }, before);
    const name = await nameUntil(query, ownName, untilMs);
    const old = { name, expires_at: untilMs, replaced_by: made.key.id };
    await updateKey(query, before.id, old);
    await insertKey(query, made.key);
    await this.#parts.audit.append(query, changeEntry("key.rotate", before.id, by));
    // What memory has of it both keys will share: room for it is made while nothing is written yet.
    this.#numberOf(before.id, grantIn(made.key));
    return { made, old };
  }

  async #inForce(query: Query, id: string): Promise<ListedKey> {
    const slot = this.#held.writer.slotOf(publicIdOf(id));
    const key = slot === undefined ? undefined : await findKey(query, id);
    if (slot === undefined || key === undefined || !this.#held.writer.table.isLive(slot))
      throw new AppError("not_found", `No key in force has the id ${id}.`);
    return key;
  }

  #refuseRotated({ id, replaced_by, expires_at }: ListedKey): void {
    if (replaced_by !== null)
      throw new AppError("conflict", `The key ${id} was rotated already; ${replaced_by} took its place.`);
    if (expires_at !== null && expires_at <= this.#parts.clock.now())
      throw new AppError("conflict", `The key ${id} has expired; give it another expires_at first.`);
  }

  #refusePast(expiresAt: number | null | undefined): void {
    if (typeof expiresAt === "number" && expiresAt <= this.#parts.clock.now())
      throw new AppError("bad_request", "expires_at: it is in the past.");
  }

  /** The number of a grant whose limits are counted where those of this key are. */
  #numberOf(id: string, grant: Grant): number {
    const { reader, writer, grants } = this.#held;
    const slot = writer.slotOf(publicIdOf(id));
    return grants.numberOf({
      ...grant,
      limitSlot: slot === undefined ? undefined : reader.limitSlotOf(slot),
    });
  }

  #add(key: StoredKey, grant: number): void {
    const { writer, expiries } = this.#held;
    const expiresAtMs = key.expires_at ?? undefined;
    const publicId = publicIdOf(key.id);
    const slot = writer.add({ digest: key.digest, publicId, grant, revoked: false, usedAtS: 0, expiresAtMs });
    if (expiresAtMs !== undefined) expiries.add({ atMs: expiresAtMs, slot });
  }

  #setTerms(id: string, { grant, expiresAt }: { grant: number; expiresAt: number | null }): void {
    const { writer, expiries } = this.#held;
    const slot = writer.slotOf(publicIdOf(id));
    if (slot === undefined) return;
    writer.table.setTerms(slot, { grant, expiresAtMs: expiresAt ?? undefined });
    if (expiresAt !== null) expiries.add({ atMs: expiresAt, slot });
  }
}

/** What a record of a changed key says. */
export function changeEntry(action: string, target: string, by: ChangeAuthor): AuditEntry {
  const { principal, address, requestId } = by;
  return { actor: callerId(principal), action, target, outcome: "success", address, requestId, count: 1 };
}

import { exceeds, type PermissionSets, rightsOf, setsNamed } from "#gates/access/index.ts";
import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { KeyLimits } from "#gates/ratelimit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { generateApiKey } from "./api-key.ts";
import { type Authentication, DigestTable, type IssuedKey } from "./digest-table.ts";
import { type KeyPage, type KeyRow, keyId, pageOfKeys, toKeyRow } from "./key-list.ts";
import { insertKey, isNameTaken, loadKeys, revokeKey, setLastUsed } from "./store.ts";

const LAST_USED_INTERVAL_MS = 60_000;

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** `API_KEY_SECRET`: without it the stored digests find no key. */
  readonly secret: Secret;
  readonly audit: AuditRecorder;
}

/** Opens the keys issued at run time: all are read into memory, where every request finds them. */
export async function openIssuedKeys(parts: Parts): Promise<IssuedKeys> {
  return new IssuedKeys(parts, await loadKeys(parts.database.query));
}

export class IssuedKeys {
  readonly #parts: Parts;
  readonly #table: DigestTable;
  /** Oldest first; keys are never removed. */
  readonly #keys: IssuedKey[] = [];
  readonly #byId = new Map<string, IssuedKey>();
  /** The last use that is in the store, and when it was written, by id. */
  readonly #writtenUses = new Map<string, { readonly usedAt: number; readonly writtenAt: number }>();
  /** Revocations in force that are not in the store yet, with their record. */
  readonly #unwritten = new Map<string, { readonly revokedAt: number; readonly entry: AuditEntry }>();
  readonly #revokedListeners: ((id: string) => void)[] = [];

  constructor(parts: Parts, keys: readonly IssuedKey[]) {
    this.#parts = parts;
    this.#table = new DigestTable(parts.secret);
    for (const key of keys) {
      this.#remember(key);
      const usedAt = key.lastUsedAt;
      if (usedAt !== null) this.#writtenUses.set(key.id, { usedAt, writtenAt: usedAt });
    }
  }

  /** Whose key this is; every way of failing takes the same time, and the reason is for the log alone. */
  authenticate(presented: string | undefined): Authentication {
    return this.#table.authenticate(presented);
  }

  /** The key of this id, revoked or not. */
  find(id: string): KeyRow | undefined {
    const key = this.#byId.get(id);
    return key && toKeyRow(key);
  }

  /** Whether a key of this id was issued and is not revoked. */
  holds(id: string): boolean {
    return this.#byId.get(id)?.revokedAt === null;
  }

  /** What the key of this id is limited to; undefined for an unknown id. */
  limitsOf(id: string): Readonly<KeyLimits> | undefined {
    return this.#byId.get(id)?.limits;
  }

  /** The number of the key of this id; undefined for an unknown id. */
  slotOf(id: string): number | undefined {
    return this.#byId.get(id)?.slot;
  }

  /** One page, newest first, of the keys whose name is `visible`. Throws AppError `bad_request` for a foreign cursor. */
  list(
    page: { readonly limit: number; readonly cursor: string | undefined },
    visible: (name: string) => boolean = () => true,
  ): KeyPage {
    return pageOfKeys(
      this.#keys.filter((key) => visible(key.name)),
      page,
    );
  }

  /**
   * Issues a key; its text is in the answer and nowhere else. Throws AppError `bad_request` (name, unknown set),
   * `exceeds_own_rights`, `conflict` (name taken), or what the store throws: then there is no key.
   */
  async create(
    wanted: {
      readonly name: ResourceName;
      readonly permissions: readonly string[];
      readonly limits?: KeyLimits | undefined;
      readonly by: ChangeAuthor;
    },
    sets: PermissionSets,
  ): Promise<KeyRow & { key: Secret }> {
    const { name, permissions, limits = {}, by } = wanted;
    if (exceeds(rightsOf(by.principal, sets), setsNamed(permissions, sets)))
      throw new AppError("exceeds_own_rights");

    const { database, clock, random, audit } = this.#parts;
    const { id, key: text } = generateApiKey(random);
    const key = {
      id: keyId(id),
      name,
      digest: this.#table.digest(text.expose()),
      last4: text.expose().slice(-4),
      permissionSets: [...permissions],
      limits,
      createdAt: clock.now(),
      revokedAt: null,
      lastUsedAt: null,
    };
    await database.transaction(async (query) => {
      if (await isNameTaken(query, name))
        throw new AppError("conflict", `There is a key called "${name}" already.`);
      await insertKey(query, key);
      await audit.append(query, changeEntry("key.create", key.id, by));
    });
    const issued = { ...key, slot: this.#keys.length };
    this.#remember(issued);
    return { ...toKeyRow(issued), key: text };
  }

  /**
   * Revokes a key: in memory before anything else, so that the next request is refused, then in the store. Where
   * the store fails, the answer carries the `cause`, the key stays refused, and `flush` tries again. Throws
   * AppError `not_found` for an unknown or already revoked id.
   */
  async revoke(
    id: string,
    by: ChangeAuthor,
  ): Promise<{ recorded: true } | { recorded: false; cause: unknown }> {
    const key = this.#byId.get(id);
    if (key === undefined || key.revokedAt !== null)
      throw new AppError("not_found", `No key in force has the id ${id}.`);
    key.revokedAt = this.#parts.clock.now();
    this.#unwritten.set(id, { revokedAt: key.revokedAt, entry: changeEntry("key.revoke", id, by) });
    for (const listener of this.#revokedListeners) listener(id);
    try {
      await this.#writeRevocation(id);
      return { recorded: true };
    } catch (cause) {
      return { recorded: false, cause };
    }
  }

  /** Calls `listener` with the id of every key from now on revoked, before `revoke` answers. It must not throw. */
  onRevoked(listener: (id: string) => void): void {
    this.#revokedListeners.push(listener);
  }

  /** Notes, in memory, that the key was used just now. */
  markUsed(id: string): void {
    const key = this.#byId.get(id);
    if (key !== undefined) key.lastUsedAt = this.#parts.clock.now();
  }

  /** Writes revocations not stored yet, and last uses, of each key at most once a minute. Throws what the store throws. */
  async flush(): Promise<void> {
    for (const id of [...this.#unwritten.keys()]) await this.#writeRevocation(id);
    const now = this.#parts.clock.now();
    const due = this.#keys.flatMap(({ id, lastUsedAt }) => {
      const written = this.#writtenUses.get(id);
      if (lastUsedAt === null || lastUsedAt === written?.usedAt) return [];
      if (written !== undefined && now - written.writtenAt < LAST_USED_INTERVAL_MS) return [];
      return [{ id, usedAt: lastUsedAt }];
    });
    if (due.length === 0) return;
    await this.#parts.database.transaction(async (query) => {
      for (const { id, usedAt } of due) await setLastUsed(query, id, usedAt);
    });
    for (const { id, usedAt } of due) this.#writtenUses.set(id, { usedAt, writtenAt: now });
  }

  async #writeRevocation(id: string): Promise<void> {
    const { database, audit } = this.#parts;
    const unwritten = this.#unwritten.get(id);
    if (unwritten === undefined) return;
    await database.transaction(async (query) => {
      // The first writer records it; a flush that ran into it finds nothing left to do.
      if (await revokeKey(query, id, unwritten.revokedAt)) await audit.append(query, unwritten.entry);
    });
    this.#unwritten.delete(id);
  }

  #remember(key: IssuedKey): void {
    this.#keys.push(key);
    this.#byId.set(key.id, key);
    this.#table.add(key);
  }
}

function changeEntry(action: string, target: string, by: ChangeAuthor): AuditEntry {
  const { principal, address, requestId } = by;
  return { actor: callerId(principal), action, target, outcome: "success", address, requestId, count: 1 };
}

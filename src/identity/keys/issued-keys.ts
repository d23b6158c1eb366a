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
import { GrantWriter } from "./grants.ts";
import { keyDigest } from "./key-digest.ts";
import { keyId, publicIdOf } from "./key-id.ts";
import { type KeyPage, type KeyRow, pageOfKeys, toKeyRow } from "./key-list.ts";
import { createKeyMemory, type KeyMemory } from "./key-memory.ts";
import { attachKeys, type KeyReader } from "./key-reader.ts";
import { KeyWriter } from "./key-writer.ts";
import { writeLastUses } from "./last-uses.ts";
import { fillFromStore } from "./load-keys.ts";
import { Revocations } from "./revocations.ts";
import { countKeys, findKey, insertKey, isNameTaken, type ListedKey } from "./store.ts";

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** `API_KEY_SECRET`: without it the stored digests find no key. */
  readonly secret: Secret;
  readonly audit: AuditRecorder;
  /** For how many keys there is room at least, the stored ones and as many again apart; 2,000,000 unless given. */
  readonly roomFor?: number;
  /** Told of what happened to a key. Must neither wait nor throw. */
  readonly events?: {
    publish(type: "key.created" | "key.revoked", key: { readonly id: string; readonly name: string }): void;
  };
}

/** Opens the keys issued at run time: what requests need of each is read into memory that threads can share. */
export async function openIssuedKeys(parts: Parts): Promise<IssuedKeys> {
  const { query } = parts.database;
  const memory = createKeyMemory(await countKeys(query), parts.roomFor);
  const [writer, grants] = [new KeyWriter(memory), new GrantWriter(memory.grants)];
  await fillFromStore(query, writer, grants);
  return new IssuedKeys(parts, { memory, writer, grants });
}

/** The keys, in the one thread that adds and revokes them. */
export class IssuedKeys {
  /** For `attachKeys` in other threads. */
  readonly memory: KeyMemory;
  /** What this thread needs for requests, as any other. */
  readonly reader: KeyReader;
  readonly #parts: Parts;
  readonly #writer: KeyWriter;
  readonly #grants: GrantWriter;
  readonly #digest: (text: string) => Buffer;
  readonly #revocations: Revocations;
  readonly #revokedListeners: ((id: string) => void)[] = [];

  constructor(parts: Parts, held: { memory: KeyMemory; writer: KeyWriter; grants: GrantWriter }) {
    this.#parts = parts;
    this.memory = held.memory;
    this.reader = attachKeys(held.memory, parts.secret, parts.clock);
    this.#writer = held.writer;
    this.#grants = held.grants;
    this.#digest = keyDigest(parts.secret);
    this.#revocations = new Revocations(parts.database, parts.audit);
  }

  /** The key of this id, revoked or not. */
  async find(id: string): Promise<KeyRow | undefined> {
    const key = await findKey(this.#parts.database.query, id);
    return key && toKeyRow(this.#asOfNow(key));
  }

  /** The number of the key of this id; undefined for an unknown id. */
  slotOf(id: string): number | undefined {
    return this.#writer.slotOf(publicIdOf(id));
  }

  /** One page, newest first, of the keys whose name is `visible`. Throws AppError `bad_request` for a foreign cursor. */
  async list(
    page: { readonly limit: number; readonly cursor: string | undefined },
    visible: (name: string) => boolean = () => true,
  ): Promise<KeyPage> {
    const { keys, nextCursor } = await pageOfKeys(this.#parts.database.query, page, visible);
    return { data: keys.map((key) => toKeyRow(this.#asOfNow(key))), next_cursor: nextCursor };
  }

  /**
   * Issues a key; its text is in the answer and nowhere else. Throws AppError `bad_request` (name, unknown set),
   * `exceeds_own_rights`, `conflict` (name taken), `keys_full`, or what the store throws: then there is no key.
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
    // Room for it comes first: a key in the store that no thread can find would be worse than none.
    using _slot = this.#writer.reserve();
    const grant = this.#grants.numberOf({ permissionSets: permissions, limits });

    const { database, clock, random, audit } = this.#parts;
    const { id: publicId, key: text } = generateApiKey(random);
    const key = {
      id: keyId(publicId),
      name,
      digest: this.#digest(text.expose()),
      last4: text.expose().slice(-4),
      permissions: JSON.stringify(permissions),
      limits: JSON.stringify(limits),
      created_at: clock.now(),
      revoked_at: null,
      last_used_at: null,
    };
    await database.transaction(async (query) => {
      if (await isNameTaken(query, name))
        throw new AppError("conflict", `There is a key called "${name}" already.`);
      await insertKey(query, key);
      await audit.append(query, changeEntry("key.create", key.id, by));
    });
    this.#writer.add({ digest: key.digest, publicId, grant, revoked: false, usedAtS: 0 });
    this.#parts.events?.publish("key.created", { id: key.id, name });
    return { ...toKeyRow(key), key: text };
  }

  /**
   * Revokes a key: in memory before anything else, so that every thread refuses the next request, then in the store.
   * Where the store fails, the answer carries the `cause`, the key stays refused, and `flush` tries again. Throws
   * AppError `not_found` for an unknown or already revoked id.
   */
  async revoke(
    id: string,
    by: ChangeAuthor,
  ): Promise<{ recorded: true } | { recorded: false; cause: unknown }> {
    const slot = this.#writer.slotOf(publicIdOf(id));
    if (slot === undefined || !this.#writer.table.revoke(slot))
      throw new AppError("not_found", `No key in force has the id ${id}.`);
    for (const listener of this.#revokedListeners) listener(id);
    try {
      const entry = changeEntry("key.revoke", id, by);
      await this.#revocations.write(id, { revokedAt: this.#parts.clock.now(), entry });
      const key = await findKey(this.#parts.database.query, id);
      if (key !== undefined) this.#parts.events?.publish("key.revoked", { id, name: key.name });
      return { recorded: true };
    } catch (cause) {
      return { recorded: false, cause };
    }
  }

  /** Calls `listener` with the id of every key from now on revoked, before `revoke` answers. It must not throw. */
  onRevoked(listener: (id: string) => void): void {
    this.#revokedListeners.push(listener);
  }

  /** Writes revocations not stored yet, and last uses, of each key at most once a minute. Throws what the store throws. */
  async flush(): Promise<void> {
    await this.#revocations.flush();
    await writeLastUses({ ...this.#parts, keys: this.#writer });
  }

  /** With what memory knows and the store does not yet. */
  #asOfNow(key: ListedKey): ListedKey {
    const slot = this.#writer.slotOf(publicIdOf(key.id));
    const usedAt = slot === undefined ? 0 : this.#writer.table.usedAtS(slot) * 1000;
    return {
      ...key,
      last_used_at: usedAt > (key.last_used_at ?? 0) ? usedAt : key.last_used_at,
      revoked_at: key.revoked_at ?? this.#revocations.revokedAt(key.id) ?? null,
    };
  }
}

function changeEntry(action: string, target: string, by: ChangeAuthor): AuditEntry {
  const { principal, address, requestId } = by;
  return { actor: callerId(principal), action, target, outcome: "success", address, requestId, count: 1 };
}

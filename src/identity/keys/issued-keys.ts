import type { PermissionSets } from "#gates/access/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { type HeldKeys, holdKeys, takeExpired, withUses } from "./held-keys.ts";
import { changeEntry, type KeyChange, KeyChanges, type NewKey } from "./key-changes.ts";
import { keyDigest } from "./key-digest.ts";
import type { KeyEvent } from "./key-events.ts";
import { keyId, publicIdOf } from "./key-id.ts";
import { inShownOrder, type KeyPage, type KeyRow, toKeyRow } from "./key-list.ts";
import type { KeyMemory } from "./key-memory.ts";
import type { KeyParts } from "./key-parts.ts";
import type { KeyReader } from "./key-reader.ts";
import { writeLastUses } from "./last-uses.ts";
import { type KeyQuestion, pageOfKeys } from "./list/key-page.ts";
import { fillFromStore } from "./load-keys.ts";
import { type IssuedKey, toIssuedKey } from "./made-key.ts";
import { Revocations } from "./revocations.ts";
import {
  type AskedRequest,
  countKeys,
  findKey,
  findNamedKey,
  type ListedKey,
  newestRequests,
} from "./store.ts";

/** Opens the keys issued at run time: what requests need of each is read into memory that threads can share. */
export async function openIssuedKeys(parts: KeyParts): Promise<IssuedKeys> {
  const { query } = parts.database;
  const held = holdKeys(await countKeys(query), parts);
  await fillFromStore(query, held, parts.clock.now());
  return new IssuedKeys(parts, held);
}

/** The keys, in the one thread that adds and revokes them. */
export class IssuedKeys {
  /** For `attachKeys` in other threads. */
  readonly memory: KeyMemory;
  /** What this thread needs for requests, as any other. */
  readonly reader: KeyReader;
  readonly #parts: KeyParts;
  readonly #held: HeldKeys;
  readonly #changes: KeyChanges;
  readonly #digest: (text: string) => Buffer;
  readonly #revocations: Revocations;
  readonly #endListeners: ((id: string) => void)[] = [];

  constructor(parts: KeyParts, held: HeldKeys) {
    this.#parts = parts;
    this.#held = held;
    this.memory = held.memory;
    this.reader = held.reader;
    this.#changes = new KeyChanges(parts, held);
    this.#digest = keyDigest(parts.secret);
    this.#revocations = new Revocations(parts.database, parts.audit);
  }

  /** The key of this id, revoked or not. */
  async find(id: string): Promise<KeyRow | undefined> {
    const key = await findKey(this.#parts.database.query, id);
    return key && this.#asOfNow(key);
  }

  /** The key that has this name and is not revoked. */
  async findNamed(name: string): Promise<KeyRow | undefined> {
    const key = await findNamedKey(this.#parts.database.query, name);
    return key && this.#asOfNow(key);
  }

  /** The key with this text, revoked or not. */
  async findText(text: Secret): Promise<KeyRow | undefined> {
    const slot = this.#held.writer.table.find(this.#digest(text.expose()));
    return slot === undefined ? undefined : this.find(keyId(this.#held.writer.publicIdOf(slot)));
  }

  /** What the key of this id asked for last, as far as it is in the store, the newest first. */
  lastRequests(id: string, limit: number): Promise<AskedRequest[]> {
    return newestRequests(this.#parts.database.query, id, limit);
  }

  /** The number of the key of this id; undefined for an unknown id. */
  slotOf(id: string): number | undefined {
    return this.#held.writer.slotOf(publicIdOf(id));
  }

  /**
   * One page of the keys whose name is `visible`; by last use in the order of those written, a minute late at most.
   * Throws AppError `bad_request` for a foreign cursor.
   */
  async list(question: KeyQuestion, visible: (name: string) => boolean = () => true): Promise<KeyPage> {
    const { database, clock } = this.#parts;
    // One whose revocation could not be written yet is in no other state.
    const isIn = (id: string) =>
      [undefined, "revoked"].includes(question.state) || this.#revocations.revokedAt(id) === undefined;
    const { keys, nextCursor } = await pageOfKeys(database.query, {
      question,
      nowMs: clock.now(),
      visible: ({ id, name }) => visible(name) && isIn(id),
    });
    const data = keys.map((key) => this.#asOfNow(key));
    return { data: inShownOrder(data, question.sort), next_cursor: nextCursor };
  }

  /**
   * Issues a key; its text is in the answer and nowhere else. Throws AppError `bad_request` (name, unknown set, past
   * expiry), `exceeds_own_rights`, `conflict` (name taken), `keys_full`, or what the store throws: then there is no key.
   */
  async create(wanted: NewKey & { readonly by: ChangeAuthor }, sets: PermissionSets): Promise<IssuedKey> {
    const made = await this.#changes.create(wanted, { by: wanted.by, sets });
    this.#publish("key.created", made.key);
    return toIssuedKey(made);
  }

  /**
   * Changes a key; it holds in every thread when this settles. Throws AppError `not_found` for an unknown or revoked
   * id, what `create` throws, and `exceeds_own_rights` also where the key has more rights than the caller before.
   */
  async update(
    id: string,
    change: KeyChange & { readonly by: ChangeAuthor },
    sets: PermissionSets,
  ): Promise<KeyRow> {
    const key = await this.#changes.update(id, change, { by: change.by, sets });
    this.#publish("key.updated", key);
    return this.#asOfNow(key);
  }

  /**
   * Issues a key with the same name and grant; the old one, under another name, holds for `overlapMs` more. Their
   * limits are counted as one's. Throws AppError `not_found`, `conflict` for a key rotated before or expired,
   * `exceeds_own_rights`, `keys_full`, or what the store throws: then nothing was changed.
   */
  async rotate(
    id: string,
    { overlapMs, by }: { readonly overlapMs: number; readonly by: ChangeAuthor },
    sets: PermissionSets,
  ): Promise<IssuedKey> {
    const made = await this.#changes.rotate(id, overlapMs, { by, sets });
    this.#publish("key.rotated", made.key);
    this.endExpired();
    return toIssuedKey(made);
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
    const { table } = this.#held.writer;
    const slot = this.slotOf(id);
    if (slot === undefined || !table.revoke(slot))
      throw new AppError("not_found", `No key in force has the id ${id}.`);
    this.#tellEnded(id);
    try {
      const entry = changeEntry("key.revoke", id, by);
      await this.#revocations.write(id, { revokedAt: this.#parts.clock.now(), entry });
      await this.#publishNamed("key.revoked", id);
      return { recorded: true };
    } catch (cause) {
      return { recorded: false, cause };
    }
  }

  /** Calls `listener` with the id of every key from now on revoked, before `revoke` answers, or expired. It must not throw. */
  onEnded(listener: (id: string) => void): void {
    this.#endListeners.push(listener);
  }

  /** Tells of the keys that expired since it was last called. Requests are refused without it; running ones end by it. */
  endExpired(): void {
    for (const id of takeExpired(this.#held, this.#parts.clock.now())) {
      this.#tellEnded(id);
      // An event that cannot be told because the store fails is lost; the key has ended all the same.
      this.#publishNamed("key.expired", id).catch(() => undefined);
    }
  }

  /** Writes revocations not stored yet, and last uses, of each key at most once a minute. Throws what the store throws. */
  async flush(): Promise<void> {
    await this.#revocations.flush();
    const { writer: keys, addresses } = this.#held;
    await writeLastUses({ ...this.#parts, keys, addresses });
  }

  #tellEnded(id: string): void {
    for (const listener of this.#endListeners) listener(id);
  }

  #publish(type: KeyEvent, { id, name }: { readonly id: string; readonly name: string }): void {
    this.#parts.events?.publish(type, { id, name });
  }

  async #publishNamed(type: KeyEvent, id: string): Promise<void> {
    const key = this.#parts.events && (await findKey(this.#parts.database.query, id));
    if (key !== undefined) this.#publish(type, key);
  }

  /** With what memory knows and the store does not yet. */
  #asOfNow(key: ListedKey): KeyRow {
    const known = withUses(this.#held, key);
    return toKeyRow({ ...known, revoked_at: key.revoked_at ?? this.#revocations.revokedAt(key.id) ?? null });
  }
}

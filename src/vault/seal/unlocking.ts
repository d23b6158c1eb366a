import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Query } from "#platform/storage/database.ts";
import { doneBy, inTurn, type KeyParts } from "./key-parts.ts";
import { LockRecords } from "./lock-records.ts";
import { isSameSlot, keyringOf, type OpenedSlot, openSlot } from "./opening.ts";
import { isCheaper, type PassphraseFacts } from "./passphrase.ts";
import { putPassphraseSlot, readStoredSeal, type StoredSeal, setLockedByHand } from "./store.ts";
import { wrapRoot } from "./wrapping.ts";

/** A slot made anew, as its cost was that of an older program. */
type Renewed = PassphraseFacts & { readonly wrapped: Uint8Array };

interface Try {
  readonly stored: StoredSeal;
  readonly opened: OpenedSlot;
  readonly renewed: Renewed | undefined;
  readonly by: ChangeAuthor;
  /** What `HeldKeys.locks` was when it began. */
  readonly locks: number;
}

/** Opens and locks by hand. */
export class Unlocking {
  readonly #parts: KeyParts;
  readonly #records: LockRecords;
  #closed = false;

  constructor(parts: KeyParts) {
    this.#parts = parts;
    this.#records = new LockRecords(parts);
  }

  /** See `ServerKey.unlock`. True when it was locked and is open now. */
  async unlock(key: Secret, by: ChangeAuthor): Promise<boolean> {
    const { database, held, stretching, turn } = this.#parts;
    const { locks } = held;
    for (;;) {
      const stored = await readStoredSeal(database.query);
      const opened = await openSlot(stored, key, stretching);
      try {
        const renewed = await this.#renew(key, opened, stored);
        const done = await inTurn(turn, () => this.#open({ stored, opened, renewed, by, locks }));
        // Else the passphrase was exchanged since the slot was read: whether this key is right is to be seen anew.
        if (done !== "exchanged") return done === "opened";
      } finally {
        opened.root.fill(0);
      }
    }
  }

  /** See `ServerKey.lock`. Throws what the store throws once the lock holds in memory. */
  async lock(by: ChangeAuthor): Promise<void> {
    const { held } = this.#parts;
    if (!held.status().initialized) throw new AppError("key_not_initialized");
    this.#records.add(doneBy("key.lock", by));
    try {
      held.drop();
    } finally {
      await this.flush();
    }
  }

  /** Writes the locks that are not written yet. Throws what the store throws. */
  async flush(): Promise<void> {
    await inTurn(this.#parts.turn, async () => {
      if (!this.#records.waiting) return;
      const written = await this.#parts.database.transaction((query) => this.#records.write(query));
      written();
    });
  }

  /** Nothing opens it any more. */
  close(): void {
    this.#closed = true;
  }

  async #open(tried: Try): Promise<"opened" | "was open" | "exchanged"> {
    const { database, held, slot } = this.#parts;
    const { opened, renewed, locks } = tried;
    const now = await readStoredSeal(database.query);
    if (!isSameSlot(opened.kind, tried.stored, now)) return "exchanged";
    const keyring = keyringOf(opened.root, now.terms);
    let kept = false;
    try {
      const written = await database.transaction((query) => this.#record(query, tried));
      written();
      if (renewed !== undefined) slot.facts = renewed;
      if (held.locks !== locks || !held.isLocked()) return "was open";
      held.hold(keyring);
      kept = true;
      return "opened";
    } finally {
      if (!kept) keyring[Symbol.dispose]();
    }
  }

  async #record(query: Query, { renewed, by, locks }: Try): Promise<() => void> {
    const { clock, audit, held } = this.#parts;
    const written = await this.#records.write(query);
    await setLockedByHand(query, null);
    if (renewed !== undefined) await putPassphraseSlot(query, renewed, clock.now());
    await audit.append(query, doneBy("key.unlock", by));
    if (this.#closed) throw new AppError("shutting_down");
    if (held.locks !== locks)
      throw new AppError("seal_busy", "The server was locked while it was being unlocked; unlock it again.");
    return written;
  }

  /** A recovery key's slot has no cost. */
  async #renew(key: Secret, { kind, root }: OpenedSlot, stored: StoredSeal): Promise<Renewed | undefined> {
    const { stretching, cost, random } = this.#parts;
    const facts = stored.passphrase;
    if (kind !== "passphrase" || facts === undefined || !isCheaper(facts.cost, cost)) return undefined;
    const { kek, ...begun } = await stretching.begin(key, this.#parts);
    return { ...begun, wrapped: wrapRoot({ kind: "passphrase", key: kek }, root, random) };
  }
}

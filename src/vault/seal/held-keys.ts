import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Keyring } from "./keyring.ts";
import type { Place, SealedValue } from "./sealed-value.ts";

/** Uninitialized: no passphrase yet, the machine key opens the root. A locked seal holds no key at all. */
export type SealState =
  | { readonly status: "uninitialized"; readonly keyring: Keyring }
  | { readonly status: "locked"; readonly initialized: boolean }
  | { readonly status: "unlocked"; readonly keyring: Keyring };

/** The keys as this process holds them: while there are none, nothing is sealed or opened. */
export class HeldKeys {
  #state: SealState;
  #locks = 0;
  readonly #random: Random;
  readonly #lockListeners = new Set<() => void>();

  constructor(state: SealState, random: Random) {
    this.#state = state;
    this.#random = random;
  }

  /** Whether a passphrase was set, and whether secrets can be used. */
  status(): { initialized: boolean; unlocked: boolean } {
    const state = this.#state;
    switch (state.status) {
      case "uninitialized":
        return { initialized: false, unlocked: true };
      case "locked":
        return { initialized: state.initialized, unlocked: false };
      case "unlocked":
        return { initialized: true, unlocked: true };
      default:
        return state satisfies never;
    }
  }

  isLocked(): boolean {
    return this.#state.status === "locked";
  }

  /** How often it was locked: what began before the last time must not open it. */
  get locks(): number {
    return this.#locks;
  }

  /** AppError `server_locked` while locked. */
  keyring(): Keyring {
    if (this.#state.status === "locked") throw new AppError("server_locked");
    return this.#state.keyring;
  }

  /** From now on a passphrase's, with these keys. */
  hold(keyring: Keyring): void {
    const before = this.#state;
    this.#state = { status: "unlocked", keyring };
    if (before.status !== "locked" && before.keyring !== keyring) before.keyring[Symbol.dispose]();
  }

  /**
   * Drops every key, then tells the listeners before it returns; they are told once until it is opened again.
   * A listener that throws keeps no other from being told; what was thrown comes out as an AggregateError.
   */
  drop(): void {
    this.#locks += 1;
    const state = this.#state;
    if (state.status === "locked") return;
    this.#state = { status: "locked", initialized: state.status === "unlocked" };
    state.keyring[Symbol.dispose]();
    const failures: unknown[] = [];
    for (const listener of this.#lockListeners) {
      try {
        listener();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, "A listener failed while the seal was locked.");
  }

  /** Calls `listener` whenever the keys are dropped. Gives the way to stop it. */
  onLock(listener: () => void): () => void {
    this.#lockListeners.add(listener);
    return () => {
      this.#lockListeners.delete(listener);
    };
  }

  /** See `Seal.sealValue`. */
  sealValue(place: Place, plaintext: Secret | Uint8Array): SealedValue {
    const keyring = this.keyring();
    if (plaintext instanceof Uint8Array) return keyring.seal(place, plaintext, this.#random);
    const utf8 = Buffer.from(plaintext.expose(), "utf8");
    try {
      return keyring.seal(place, utf8, this.#random);
    } finally {
      utf8.fill(0);
    }
  }

  /** See `Seal.openValue`. */
  openValue(place: Place, bytes: Uint8Array): Buffer {
    return this.keyring().open(place, bytes);
  }
}

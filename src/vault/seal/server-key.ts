import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { ResealReport } from "./reseal.ts";

/**
 * The passphrase over all keys, and what may be done with it. Each change is written with its audit row or not at all;
 * what is refused is the caller's to record. Keys are compared in the form NFKC, and argon2id runs off the event loop,
 * one at a time: who calls while one runs waits.
 */
export interface ServerKey {
  /** Whether a passphrase was set, and whether secrets can be used. */
  status(): { initialized: boolean; unlocked: boolean };
  /**
   * Sets the passphrase, and a recovery key if wanted, and seals every value anew under new keys, in one transaction;
   * ends with its commit, the cleaning of the files goes on behind. A value that does not open stays as it is, with the
   * key of its term. AppError `key_initialized`, `seal_busy` while another change of keys runs, `key_too_short`,
   * `key_too_long`, `bad_request` for a text that is no Unicode or looks like a recovery key.
   */
  initialize(
    key: Secret,
    options: { readonly recovery: boolean; readonly by: ChangeAuthor },
  ): Promise<{ recoveryKey: Secret | undefined; report: ResealReport }>;
  /**
   * Opens the server with the passphrase or the recovery key, also when it is open. AppError `wrong_key`,
   * `key_not_initialized`, `seal_busy` when it was locked while this went on: it stays locked then.
   */
  unlock(key: Secret, by: ChangeAuthor): Promise<void>;
  /**
   * Exchanges the passphrase, in one transaction, then seals every value anew and ends with that. Equal keys are the
   * repair: nothing is exchanged, all values are looked at, and those of older terms sealed anew. `current` may be the
   * recovery key, and that goes on being valid. AppError `wrong_key`, `key_not_initialized`, `seal_busy`,
   * `server_locked`, and for `next` those of `initialize`. Locked before the end, it is `server_locked` too: the message
   * says so where the new key holds already, and what is left is done at the next unlock. `storage_full` after the
   * exchange, and `reseal_unfinished` for whatever else ends the sealing, are mended by the repair.
   */
  rotate(keys: { readonly current: Secret; readonly next: Secret }, by: ChangeAuthor): Promise<ResealReport>;
  /**
   * Locks by hand: at once in memory, and so that no start opens the server by itself. When that cannot be written the
   * lock holds all the same, and `flush` writes it later. AppError `key_not_initialized`: nothing could open it again.
   */
  lock(by: ChangeAuthor): Promise<void>;
  /** The recovery key opens this store no more; without one nothing happens. Old copies it does open: rotate, too. */
  revokeRecovery(by: ChangeAuthor): Promise<void>;
  /** How far the values are sealed anew: values, and how many in all. */
  resealProgress(): { running: boolean; done: number; total: number };
  /** 16 hexadecimal digits that name the passphrase's slot; undefined before one is set. */
  fingerprint(): string | undefined;
  /** Calls `listener` whenever the keys are dropped: there decrypted copies go. Gives the way to stop it. */
  onLock(listener: () => void): () => void;
  /**
   * Calls `listener` whenever a locked server was opened; `unlock` ends after it. Not for a start that opened itself:
   * look at the status then. One that fails is logged. Gives the way to stop it.
   */
  onUnlock(listener: () => void | Promise<void>): () => void;
}

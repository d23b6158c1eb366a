import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";

/** A credential, opened. */
export interface OpenedCredential {
  readonly id: string;
  /** Where the secret may be sent. */
  readonly origin: string;
  readonly secret: Secret;
}

/** What one who sends requests needs of the upstream credentials. */
export interface CredentialUse {
  /**
   * The credential to use for a request to `origin`: the first of the pool that does not cool down, or else the one
   * that will be the first to have done so; undefined when the provider has none. Throws AppError `upstream_failed`
   * when the provider has been moved to another origin. At once when the pool is open, as it nearly always is.
   */
  resolve(providerId: string, origin: string): Secret | undefined | Promise<Secret | undefined>;
  /** Passes a credential that `resolve` gave over, while there are others, until `forMs` milliseconds from now. */
  coolDown(credential: Secret, forMs: number): void;
}

interface Parts {
  readonly clock: Clock;
  /** The whole pool of a provider, in its order. */
  readonly open: (providerId: string) => Promise<readonly OpenedCredential[]>;
  /** Told of each credential that is to cool down until `untilMs`, milliseconds since the epoch. */
  readonly onCoolDown?: (credentialId: string, untilMs: number) => void;
}

/** The credentials of all providers as a thread keeps them, opened when first used, until they are forgotten. */
export class CredentialPools implements CredentialUse {
  readonly #parts: Parts;
  readonly #opened = new Map<string, readonly OpenedCredential[]>();
  readonly #coolUntil = new Map<string, number>();
  readonly #idOf = new WeakMap<Secret, string>();
  #changes = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  resolve(providerId: string, origin: string): Secret | undefined | Promise<Secret | undefined> {
    const opened = this.#opened.get(providerId);
    if (opened !== undefined) return this.#choose(opened, origin);
    return this.#open(providerId).then((pool) => this.#choose(pool, origin));
  }

  coolDown(credential: Secret, forMs: number): void {
    const id = this.#idOf.get(credential);
    if (id === undefined) return;
    const untilMs = this.#parts.clock.now() + forMs;
    this.coolUntil(id, untilMs);
    this.#parts.onCoolDown?.(id, untilMs);
  }

  /** Another thread's: the credential of this id is to cool down until `untilMs`. */
  coolUntil(credentialId: string, untilMs: number): void {
    this.#coolUntil.set(credentialId, untilMs);
  }

  /** Forgets what was opened for a provider, after a change was committed. */
  forget(providerId: string): void {
    this.#changes += 1;
    for (const { id } of this.#opened.get(providerId) ?? []) this.#coolUntil.delete(id);
    this.#opened.delete(providerId);
  }

  /** Forgets everything that was opened; what cools down goes on doing so. */
  forgetAll(): void {
    this.#changes += 1;
    this.#opened.clear();
  }

  #choose(pool: readonly OpenedCredential[], origin: string): Secret | undefined {
    for (const held of pool) if (held.origin !== origin) throw new AppError("upstream_failed", MOVED);
    // Nearly always there is nothing to choose from.
    return pool.length === 1 ? pool[0]?.secret : this.#longestCool(pool);
  }

  async #open(providerId: string): Promise<readonly OpenedCredential[]> {
    const before = this.#changes;
    const pool = await this.#parts.open(providerId);
    // Replaced, or the server locked, while it was opened: what was opened must be neither kept nor used.
    if (this.#changes !== before) return this.#opened.get(providerId) ?? this.#open(providerId);
    for (const { id, secret } of pool) this.#idOf.set(secret, id);
    this.#opened.set(providerId, pool);
    return pool;
  }

  /** The first that does not cool down; of several that do, the one that will be the first to have done so. */
  #longestCool(pool: readonly OpenedCredential[]): Secret | undefined {
    const now = this.#parts.clock.now();
    let best: { secret: Secret; until: number } | undefined;
    for (const { id, secret } of pool) {
      const until = Math.max(this.#coolUntil.get(id) ?? 0, now);
      if (best === undefined || until < best.until) best = { secret, until };
    }
    return best?.secret;
  }
}

const MOVED = "The provider was moved to another origin while the request was under way; send it again.";

import { type Argon2Parameters, argon2idEncoded, argon2idMatches } from "#platform/lib/argon2.ts";
import type { Random } from "#platform/lib/random.ts";
import { WorkQueue } from "#platform/threads/work-queue.ts";
import { normalizedPassword } from "./password-rules.ts";

/** Some 200 ms and 64 MiB on a present machine (RFC 9106's second recommendation). */
const USUAL_COST: Argon2Parameters = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Each takes 64 MiB while it runs. */
const MOST_RUNNING = 2;
const MOST_WAITING = 32;

/**
 * Passwords as argon2id, computed outside the event loop, at most two at once. Either call throws AppError `rate_limited`
 * when too many wait, and nothing was computed.
 */
export class PasswordHashes {
  readonly #random: Random;
  readonly #cost: Argon2Parameters;
  readonly #queue = new WorkQueue({ running: MOST_RUNNING, waiting: MOST_WAITING });
  /** A hash of nothing anybody could type, which costs what a user's own does. */
  readonly #nobodys: string;

  constructor({ random, cost = USUAL_COST }: { random: Random; cost?: Argon2Parameters | undefined }) {
    this.#random = random;
    this.#cost = cost;
    const part = (length: number) => random.bytes(length).toString("base64").replaceAll("=", "");
    const { memoryKib, passes, lanes } = cost;
    this.#nobodys = `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${part(SALT_BYTES)}$${part(HASH_BYTES)}`;
  }

  /** A PHC string to keep. */
  make(password: string): Promise<string> {
    const input = { ...this.#cost, salt: this.#random.bytes(SALT_BYTES), length: HASH_BYTES };
    return this.#queue.run(() => argon2idEncoded(normalizedPassword(password), input));
  }

  /** Whether it is the password of this hash; without one it is not, and costs the same. */
  matches(encoded: string | undefined, password: string): Promise<boolean> {
    const hash = encoded ?? this.#nobodys;
    return this.#queue.run(() => argon2idMatches(hash, normalizedPassword(password)));
  }
}

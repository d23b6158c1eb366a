import { randomBase62 } from "#platform/lib/base62.ts";
import { constantTimeEqual, sha256 } from "#platform/lib/hmac.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { normalizedPassword } from "./password-rules.ts";

/** What everybody knows: for a server that nobody but this machine can reach. */
const KNOWN_TO_ALL = "123456";
const CODE_CHARACTERS = 20;

/** What the first user signs in with, before he has a password of his own. */
export class FirstSignIn {
  readonly #parts: {
    /** `INITIAL_PASSWORD`. */
    readonly initialPassword: Secret | undefined;
    /** Whether anything but this machine reaches a listener. */
    readonly isReachable: () => boolean;
    readonly random: Random;
  };
  #code: string | undefined;

  constructor(parts: {
    readonly initialPassword: Secret | undefined;
    readonly isReachable: () => boolean;
    readonly random: Random;
  }) {
    this.#parts = parts;
  }

  /** Whether a setup code is what is waited for, as long as nobody signed in. */
  get needsCode(): boolean {
    return this.#parts.initialPassword === undefined && this.#parts.isReachable();
  }

  /** The setup code, made where there is none; good for one sign-in, or until the process ends. */
  code(): string {
    this.#code ??= randomBase62(this.#parts.random, CODE_CHARACTERS);
    return this.#code;
  }

  /** Whether the first user may sign in with it. `isLocal`: from this machine; `isUsed`: he did so before. */
  accepts(password: string, { isLocal, isUsed }: { isLocal: boolean; isUsed: boolean }): boolean {
    if (this.#code !== undefined && isSame(password, this.#code)) return true;
    if (isUsed) return false;
    const { initialPassword, isReachable } = this.#parts;
    if (initialPassword !== undefined) return isSame(password, initialPassword.expose());
    return isLocal && !isReachable() && isSame(password, KNOWN_TO_ALL);
  }

  /** It was used: the setup code is good for nothing more. */
  used(): void {
    this.#code = undefined;
  }
}

function isSame(password: string, wanted: string): boolean {
  const [one, other] = [password, wanted].map((text) => sha256(normalizedPassword(text)));
  return one !== undefined && other !== undefined && constantTimeEqual(one, other);
}

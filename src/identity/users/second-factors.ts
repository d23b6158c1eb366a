import { createSecretKey, type KeyObject } from "node:crypto";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AEAD_NONCE_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import { toBase32 } from "#platform/lib/base32.ts";
import { randomBase62 } from "#platform/lib/base62.ts";
import { AppError } from "#platform/lib/error.ts";
import { constantTimeEqual, sha256 } from "#platform/lib/hmac.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { hotp, totpStep } from "#platform/lib/totp.ts";
import type { Query } from "#platform/storage/database.ts";
import { changeEntry } from "./change-entry.ts";
import type { PeopleParts } from "./people-parts.ts";
import {
  deleteFactor,
  putFactor,
  putRecoveryCodes,
  readFactor,
  takeRecoveryCode,
  usersWithFactor,
} from "./store.ts";
import type { User } from "./user.ts";

/** As long as the digest, which RFC 4226 (R6) recommends. */
const SEED_BYTES = 20;
/** A clock may be a step behind or before ours. */
const STEPS_AROUND = 1;
const RECOVERY_CODES = 10;
const RECOVERY_GROUPS = 4;
const RECOVERY_GROUP = 4;

/** What an authenticator app is given: the seed as text, and as the address that it reads from a picture. */
export interface Enrolment {
  readonly secret: string;
  readonly uri: string;
}

/** Second factors: TOTP (RFC 6238) with SHA-1, six digits and 30 seconds, as every app has it, and recovery codes. */
export class SecondFactors {
  readonly #parts: Pick<PeopleParts, "database" | "clock" | "random" | "audit">;
  readonly #authKey: () => Secret;
  #key: KeyObject | undefined;

  /** `authKey`: 256 bits in base64url that the seeds are kept under, read when the first one is needed. */
  constructor(parts: Pick<PeopleParts, "database" | "clock" | "random" | "audit">, authKey: () => Secret) {
    this.#parts = parts;
    this.#authKey = authKey;
  }

  /** Whether this user is asked for a code when he signs in. */
  async isOn(userId: string): Promise<boolean> {
    return (await readFactor(this.#parts.database.query, userId))?.confirmed === 1;
  }

  /** Which of these users are. */
  onOf(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return usersWithFactor(this.#parts.database.query, userIds);
  }

  /** A seed for him, which is asked for once he confirmed it. AppError `conflict` where one is on. */
  async begin({ id, username }: User, by: ChangeAuthor): Promise<Enrolment> {
    const { database, random, audit } = this.#parts;
    const seed = random.bytes(SEED_BYTES);
    await database.transaction(async (query) => {
      if ((await readFactor(query, id))?.confirmed === 1)
        throw new AppError("conflict", "A second factor is on already; take it off first.");
      await putFactor(query, { user_id: id, seed: this.#seal(id, seed), confirmed: 0, last_step: 0 });
      await audit.append(query, changeEntry("user.second_factor.begin", username, by));
    });
    const secret = toBase32(seed);
    const label = encodeURIComponent(`Claviger:${username}`);
    return { secret, uri: `otpauth://totp/${label}?secret=${secret}&issuer=Claviger` };
  }

  /** A code of the seed shows that the app has it: it is on from now on. Gives the recovery codes. AppError `wrong_code`. */
  async confirm({ id, username }: User, code: string, by: ChangeAuthor): Promise<string[]> {
    const { database, audit, random } = this.#parts;
    const codes = Array.from({ length: RECOVERY_CODES }, () => {
      const text = randomBase62(random, RECOVERY_GROUPS * RECOVERY_GROUP);
      return (text.match(/.{4}/g) ?? []).join("-");
    });
    await database.transaction(async (query) => {
      const factor = await readFactor(query, id);
      if (factor === undefined || factor.confirmed === 1)
        throw new AppError("conflict", "Begin with a second factor first.");
      if (!(await this.#takeStep(query, id, code))) throw new AppError("wrong_code");
      const taken = await readFactor(query, id);
      await putFactor(query, { ...(taken ?? factor), confirmed: 1 });
      await putRecoveryCodes(query, id, codes.map(hashOf));
      await audit.append(query, changeEntry("user.second_factor.on", username, by));
    });
    return codes;
  }

  /** He signs in by his password alone from now on, also where none was on. */
  async remove({ id, username }: User, by: ChangeAuthor): Promise<void> {
    const { database, audit } = this.#parts;
    await database.transaction(async (query) => {
      await deleteFactor(query, id);
      await audit.append(query, changeEntry("user.second_factor.off", username, by));
    });
  }

  /**
   * Has who gave the right password prove himself, where his second factor is on; each code is good once. AppError
   * `second_factor_required` without a code, `sign_in_refused` for a wrong one.
   */
  async require(userId: string, code: string | undefined): Promise<void> {
    await this.#parts.database.transaction(async (query) => {
      if ((await readFactor(query, userId))?.confirmed !== 1) return;
      if (code === undefined) throw new AppError("second_factor_required");
      const isRight = /^\d{6}$/.test(code)
        ? await this.#takeStep(query, userId, code)
        : await takeRecoveryCode(query, userId, hashOf(code));
      if (!isRight) throw new AppError("sign_in_refused");
    });
  }

  /**
   * Whether it is a code of about now, of a later step than the last that was used; that one is used from now on. A last
   * one that is yet to come was used while the clock was wrong, and would keep its user out until then.
   */
  async #takeStep(query: Query, userId: string, code: string): Promise<boolean> {
    const factor = await readFactor(query, userId);
    if (factor === undefined) return false;
    const seed = this.#open(userId, Buffer.from(factor.seed));
    if (seed === undefined) return false;
    const now = totpStep(this.#parts.clock.now());
    const last = factor.last_step > now + STEPS_AROUND ? 0 : factor.last_step;
    let found: number | undefined;
    for (let step = now - STEPS_AROUND; step <= now + STEPS_AROUND; step++) {
      const isSame = constantTimeEqual(Buffer.from(hotp(seed, step)), Buffer.from(code));
      if (isSame && step > last) found ??= step;
    }
    if (found === undefined) return false;
    await putFactor(query, { ...factor, last_step: found });
    return true;
  }

  #seal(userId: string, seed: Uint8Array): Buffer {
    const nonce = this.#parts.random.bytes(AEAD_NONCE_BYTES);
    return Buffer.concat([nonce, encrypt(this.#keyOf(), nonce, seed, dataOf(userId))]);
  }

  /** Undefined where `auth.key` is another, as in a restored store: there only a recovery code helps. */
  #open(userId: string, sealed: Buffer): Buffer | undefined {
    const nonce = sealed.subarray(0, AEAD_NONCE_BYTES);
    try {
      return decrypt(this.#keyOf(), nonce, sealed.subarray(AEAD_NONCE_BYTES), dataOf(userId));
    } catch {
      return undefined;
    }
  }

  #keyOf(): KeyObject {
    this.#key ??= createSecretKey(Buffer.from(this.#authKey().expose(), "base64url"));
    return this.#key;
  }
}

/** A seed moved to another user's row opens no more. */
function dataOf(userId: string): Buffer {
  return Buffer.from(`claviger second factor v1|${userId}`);
}

/** Written with or without the lines between. */
function hashOf(code: string): Buffer {
  return sha256(code.replaceAll(/[\s-]/g, ""));
}

import type { AuditEntry } from "#gates/audit/index.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Query } from "#platform/storage/database.ts";
import { normalizedPassword, refuseWeakPassword } from "./password-rules.ts";
import type { PeopleParts } from "./people-parts.ts";
import type { PasswordPlace } from "./sessions.ts";
import {
  deleteSessions,
  deleteSessionsOf,
  insertSession,
  noteSignIn,
  putUser,
  updateSession,
} from "./store.ts";
import { FIRST_USER, type Session, SUPERADMIN, type User } from "./user.ts";

/** More would be a browser that forgets its cookies: the oldest end. */
const MOST_SESSIONS = 50;

/** Somebody who signed in. */
export interface SignedIn {
  readonly user: User;
  readonly session: Session;
}

/** What people do with their passwords. Each is judged behind the count of its address: AppError `rate_limited`. */
export class SignIn {
  readonly #parts: PeopleParts;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  /**
   * Begins a session. AppError `sign_in_refused`; an unknown user costs what a wrong password costs. Where the user's second
   * factor is on, `second_factor_required` without a code.
   */
  async signIn(
    asked: { username: string; password: string; code?: string | undefined },
    place: PasswordPlace,
  ): Promise<SignedIn> {
    return this.#parts.failures.run(place.address, async () => {
      const { held, hashes, first, factors } = this.#parts;
      const user = held.named(asked.username);
      const isOwn = await hashes.matches(
        user?.isInitial === true ? undefined : user?.passwordHash,
        asked.password,
      );
      if (isOwn && user !== undefined) {
        await factors.require(user.id, asked.code);
        return await this.#begin(user, place);
      }
      const how = { isLocal: place.isLocal, isUsed: user !== undefined };
      if (this.#awaitsFirst(asked.username) && first.accepts(asked.password, how))
        return await this.#beginFirst(asked.password, place);
      throw new AppError("sign_in_refused");
    });
  }

  /** AppError `wrong_password`, and `weak_password` for the new one. All sessions end; the answer is a new one. */
  async changePassword(
    { userId, current, next }: { userId: string; current: string; next: string },
    place: PasswordPlace,
  ): Promise<SignedIn> {
    const user = this.#require(userId);
    refuseWeakPassword(next, user.username);
    await this.#check(user, current, place);
    if (normalizedPassword(next) === normalizedPassword(current))
      throw new AppError("weak_password", "The new password is the one before.");
    const passwordHash = await this.#parts.hashes.make(next);
    return this.#changed(user, place, "user.password", async (query, now) => {
      // Something else of him may have become another while the passwords were judged.
      const known = this.#require(userId);
      const changed = { ...known, passwordHash, mustChangePassword: false, isInitial: false, updatedAt: now };
      await putUser(query, changed);
      return changed;
    });
  }

  /** The password is given once more: then a session may do for a while what asks for that. AppError `wrong_password`. */
  async reauthenticate(
    { userId, jti, password }: { userId: string; jti: string; password: string },
    place: PasswordPlace,
  ): Promise<void> {
    const user = this.#require(userId);
    await this.#check(user, password, place);
    const { held, database, clock, audit } = this.#parts;
    const end = await this.#parts.turn.take();
    try {
      const session = held.session(jti);
      if (session === undefined) throw new AppError("invalid_token");
      const fresh = { ...session, passwordAt: clock.now() };
      await database.transaction(async (query) => {
        await updateSession(query, fresh);
        await audit.append(query, entryOf("user.reauthenticate", user, place));
      });
      held.keep(fresh);
    } finally {
      end();
    }
  }

  #require(userId: string): User {
    const user = this.#parts.held.user(userId);
    if (user === undefined) throw new AppError("invalid_token");
    return user;
  }

  async #check(user: User, password: string, place: PasswordPlace): Promise<void> {
    await this.#parts.failures.run(place.address, async () => {
      if (!(await this.#parts.hashes.matches(user.passwordHash, password)))
        throw new AppError("wrong_password");
    });
  }

  /** Nobody is there yet, or the first one signed in and never had a password of his own. */
  #awaitsFirst(username: string): boolean {
    if (username !== FIRST_USER) return false;
    const known = this.#parts.held.named(username);
    return known === undefined ? this.#parts.held.users().length === 0 : known.isInitial;
  }

  async #begin(user: User, place: PasswordPlace): Promise<SignedIn> {
    const { held, sessions, database, turn } = this.#parts;
    const end = await turn.take();
    try {
      const known = held.user(user.id);
      // The password may have become another while this one was judged.
      if (known?.passwordHash !== user.passwordHash) throw new AppError("sign_in_refused");
      const session = sessions.begin(user.id, place);
      const signedIn = { ...known, lastSignedInAt: session.createdAt };
      const spare = held.sessionsOf(user.id).slice(MOST_SESSIONS - 1);
      const jtis = spare.map(({ jti }) => jti);
      await database.transaction(async (query) => {
        await deleteSessions(query, jtis);
        await insertSession(query, session);
        await noteSignIn(query, user.id, session.createdAt);
        await this.#parts.audit.append(query, entryOf("user.login", user, place));
      });
      for (const jti of jtis) held.end(jti);
      held.keep(session);
      held.put(signedIn);
      return { user: signedIn, session };
    } finally {
      end();
    }
  }

  /** Of two who come at once, one is the first. */
  async #beginFirst(password: string, place: PasswordPlace): Promise<SignedIn> {
    const { held, hashes, first, clock, random } = this.#parts;
    const before = held.named(FIRST_USER);
    const passwordHash = await hashes.make(password);
    const now = clock.now();
    const created: User = before ?? {
      id: newId("user", random),
      username: FIRST_USER,
      passwordHash,
      permissionSets: [SUPERADMIN],
      mustChangePassword: true,
      isInitial: true,
      createdAt: now,
      updatedAt: now,
      lastSignedInAt: null,
    };
    return this.#changed(created, place, "user.login", async (query, at) => {
      const isUsed = held.named(FIRST_USER) !== undefined;
      const accepted = first.accepts(password, { isLocal: place.isLocal, isUsed });
      if (!this.#awaitsFirst(FIRST_USER) || !accepted) throw new AppError("sign_in_refused");
      const user = { ...created, passwordHash, lastSignedInAt: at };
      await putUser(query, user);
      first.used();
      return user;
    });
  }

  /** A change of the user that ends all his sessions and begins one. */
  async #changed(
    before: User,
    place: PasswordPlace,
    action: string,
    change: (query: Query, nowMs: number) => Promise<User>,
  ): Promise<SignedIn> {
    const { held, sessions, database, clock, audit, turn } = this.#parts;
    const end = await turn.take();
    try {
      const known = held.user(before.id);
      if (known !== undefined && known.passwordHash !== before.passwordHash)
        throw new AppError(action === "user.login" ? "sign_in_refused" : "wrong_password");
      const session = sessions.begin(before.id, place);
      const user = await database.transaction(async (query) => {
        const changed = await change(query, clock.now());
        await deleteSessionsOf(query, changed.id);
        await insertSession(query, session);
        await audit.append(query, entryOf(action, changed, place));
        return changed;
      });
      held.endAllOf(user.id);
      held.put(user);
      held.keep(session);
      return { user, session };
    } finally {
      end();
    }
  }
}

function entryOf(action: string, { id, username }: User, place: PasswordPlace): AuditEntry {
  const { address, requestId } = place;
  return { actor: id, action, target: username, outcome: "success", address, requestId, count: 1 };
}

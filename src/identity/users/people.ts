import type { AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { SessionGate } from "#platform/http/ports.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import { changeEntry } from "./change-entry.ts";
import { FirstSignIn } from "./first-sign-in.ts";
import { HeldPeople } from "./held-people.ts";
import { LoginFailures } from "./login-failures.ts";
import { PasswordHashes } from "./password-hashes.ts";
import type { PeopleParts } from "./people-parts.ts";
import { SecondFactors } from "./second-factors.ts";
import { SessionTokens } from "./session-token.ts";
import { Sessions } from "./sessions.ts";
import { SignIn } from "./sign-in.ts";
import type { User } from "./user.ts";
import { UserChanges } from "./user-changes.ts";

/** What people and their sessions are made of. */
interface Wanted {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditRecorder;
  /** `JWT_SECRET`: signs the cookies. */
  readonly jwtSecret: Secret;
  /** `INITIAL_PASSWORD`. */
  readonly initialPassword: Secret | undefined;
  /** What second factors are kept under, read when the first one is needed: 256 bits in base64url. */
  readonly authKey: () => Secret;
  /** Whether anything but this machine reaches a listener. */
  readonly isReachable: () => boolean;
  /** Whether a proxy ends TLS in front. */
  readonly behindTls: boolean;
  /** What a password costs to hash; the usual unless given. */
  readonly cost: Argon2Parameters | undefined;
}

/** Reads who there is and which sessions they have. */
export async function openPeople(wanted: Wanted): Promise<People> {
  const { database, clock, random, audit } = wanted;
  const held = new HeldPeople();
  await held.load(database.query);
  const tokens = new SessionTokens(wanted.jwtSecret);
  const { behindTls } = wanted;
  return new People({
    database,
    clock,
    random,
    audit,
    held,
    sessions: new Sessions({ held, tokens, database, clock, random, behindTls }),
    hashes: new PasswordHashes(wanted),
    failures: new LoginFailures({ database, clock }),
    first: new FirstSignIn(wanted),
    factors: new SecondFactors(wanted, wanted.authKey),
    turn: new Turn(),
  });
}

/** Everybody who signs in here, in the one thread that judges cookies. */
export class People {
  readonly parts: PeopleParts;
  readonly signIn: SignIn;
  readonly changes: UserChanges;

  constructor(parts: PeopleParts) {
    this.parts = parts;
    this.signIn = new SignIn(parts);
    this.changes = new UserChanges(parts);
  }

  /** For the pipeline. */
  get gate(): SessionGate {
    return this.parts.sessions;
  }

  /** The user of this id, or of this name. */
  find(idOrName: string): User | undefined {
    return this.parts.held.user(idOrName) ?? this.parts.held.named(idOrName.toLowerCase());
  }

  /**
   * What the first user signs in with, as long as he has no password of his own: a code that is made where there is none.
   * Undefined once he has.
   */
  setupCode(): string | undefined {
    const users = this.parts.held.users();
    return users.every(({ isInitial }) => isInitial) ? this.parts.first.code() : undefined;
  }

  /** The same, where nobody signed in yet and nothing else opens the door. */
  wantedSetupCode(): string | undefined {
    return this.parts.held.users().length === 0 && this.parts.first.needsCode ? this.setupCode() : undefined;
  }

  /**
   * The sessions are refused from now on, and it is recorded who ended them. AppError `storage_full` where that holds and
   * could not be written yet.
   */
  async endSessions(jtis: readonly string[], action: string, by: ChangeAuthor): Promise<void> {
    const { database, audit, sessions, turn } = this.parts;
    const end = await turn.take();
    try {
      await sessions.end(jtis);
      const entry = changeEntry(action, jtis.length === 1 ? (jtis[0] ?? null) : null, by);
      await database.transaction((query) => audit.append(query, entry));
    } catch (cause) {
      throw new AppError("storage_full", "It holds, but could not be written yet; it is tried again.", {
        cause,
      });
    } finally {
      end();
    }
  }

  /** Writes what waits: ended sessions, and how the others were used. Throws what the store throws. */
  flush(): Promise<void> {
    return this.parts.sessions.flush();
  }
}

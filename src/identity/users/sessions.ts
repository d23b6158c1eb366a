import type { Arrival, Caller, SessionGate, SessionVerdict } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { HeldPeople } from "./held-people.ts";
import { noSessionCookie, sessionCookie } from "./session-cookie.ts";
import type { SessionTokens } from "./session-token.ts";
import { deleteSessions, updateSession } from "./store.ts";
import type { Session } from "./user.ts";

const DAY_MS = 24 * 60 * 60_000;
/** How long a session lives without a request, and whatever is done with it. */
const IDLE_MS = 7 * DAY_MS;
const LONGEST_MS = 30 * DAY_MS;
/** A cookie that is older is given out anew, so that it slides with the session. */
const RENEWED_AFTER_MS = 60 * 60_000;
/** When a session was seen last is written at most so often. */
const SEEN_EVERY_MS = 60_000;
const LONGEST_USER_AGENT = 200;

type UserCaller = Extract<Caller, { readonly kind: "user" }>;

/** From where somebody signs in. */
export interface SignInPlace {
  readonly address: string | null;
  readonly userAgent: string | undefined;
}

/** From where, and by which request, somebody gives a password. */
export interface PasswordPlace extends SignInPlace {
  readonly requestId: string;
  /** Whether it is a program of this machine, and nobody a proxy speaks for. */
  readonly isLocal: boolean;
}

/** The sessions of people: what their cookies are worth. */
export class Sessions implements SessionGate {
  readonly behindTls: boolean;
  readonly #parts: {
    readonly held: HeldPeople;
    readonly tokens: SessionTokens;
    readonly database: Database;
    readonly clock: Clock;
    readonly random: Random;
  };
  /** Used since they were written, and ended ones that are in the store still. */
  readonly #used = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(parts: {
    readonly held: HeldPeople;
    readonly tokens: SessionTokens;
    readonly database: Database;
    readonly clock: Clock;
    readonly random: Random;
    /** Whether a proxy ends TLS in front: then the cookie is for TLS alone on plain HTTP too. */
    readonly behindTls: boolean;
  }) {
    this.#parts = parts;
    this.behindTls = parts.behindTls;
  }

  async authenticate(presented: string, { listener, time }: Arrival): Promise<SessionVerdict> {
    const { held, tokens } = this.#parts;
    const claims = await tokens.verify(presented, time);
    const session = claims && held.session(claims.jti);
    const user = session && held.user(session.userId);
    if (session === undefined || user === undefined || user.id !== claims?.sub) return { refused: "unknown" };
    if (session.endsAt <= time) return { refused: "expired" };
    const seen = this.#seen(session, time);
    const caller: UserCaller = {
      kind: "user",
      id: user.id,
      permissionSets: user.permissionSets,
      session: session.jti,
      mustChangePassword: user.mustChangePassword,
      passwordAtMs: session.passwordAt,
    };
    if (time - claims.iat * 1000 < RENEWED_AFTER_MS) return { caller, renewed: undefined };
    return { caller, renewed: await this.cookieFor(seen, listener.secure) };
  }

  /** One whose rights are others now comes in anew. */
  holds(caller: UserCaller): boolean {
    const session = this.#parts.held.session(caller.session);
    const user = session && this.#parts.held.user(session.userId);
    return user?.id === caller.id && user.permissionSets === caller.permissionSets;
  }

  /** A session of its own name that begins now; it is nowhere yet. */
  begin(userId: string, { address, userAgent }: SignInPlace): Session {
    const { clock, random } = this.#parts;
    const now = clock.now();
    return {
      jti: newId("sess", random),
      userId,
      createdAt: now,
      lastSeenAt: now,
      endsAt: now + IDLE_MS,
      lastEndAt: now + LONGEST_MS,
      passwordAt: now,
      address,
      userAgent: userAgent?.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, LONGEST_USER_AGENT) ?? null,
    };
  }

  /** The `Set-Cookie` of a session; `secure`: whether its listener speaks TLS. */
  async cookieFor(session: Session, secure: boolean): Promise<string> {
    const { clock, tokens } = this.#parts;
    const [iat, exp] = [clock.now(), session.endsAt].map((ms) => Math.floor(ms / 1000));
    const claims = { sub: session.userId, jti: session.jti, iat: iat ?? 0, exp: exp ?? 0 };
    const maxAgeS = Math.max(0, claims.exp - claims.iat);
    return sessionCookie(await tokens.sign(claims), { maxAgeS, secure: secure || this.behindTls });
  }

  /** The `Set-Cookie` that ends one in the browser. */
  cookieOfNone(secure: boolean): string {
    return noSessionCookie({ secure: secure || this.behindTls });
  }

  /** They are refused from now on; `flush` tries again where the store does not forget them. Throws what it throws. */
  async end(jtis: readonly string[]): Promise<void> {
    for (const jti of jtis) {
      this.#parts.held.end(jti);
      this.#ended.add(jti);
    }
    await this.#forgetEnded();
  }

  /** Writes what was used and what ended since. Throws what the store throws; then the next call tries again. */
  async flush(): Promise<void> {
    const { held, database, clock } = this.#parts;
    const over = held.over(clock.now()).map(({ jti }) => jti);
    await this.end(over);
    const used = [...this.#used].map((jti) => held.session(jti)).filter((session) => session !== undefined);
    if (used.length === 0) return;
    await database.transaction(async (query) => {
      for (const session of used) await updateSession(query, session);
    });
    for (const { jti } of used) this.#used.delete(jti);
  }

  async #forgetEnded(): Promise<void> {
    const ended = [...this.#ended];
    if (ended.length === 0) return;
    await this.#parts.database.transaction((query) => deleteSessions(query, ended));
    for (const jti of ended) {
      this.#ended.delete(jti);
      this.#used.delete(jti);
    }
  }

  #seen(session: Session, nowMs: number): Session {
    if (nowMs - session.lastSeenAt < SEEN_EVERY_MS) return session;
    const endsAt = Math.max(session.endsAt, Math.min(nowMs + IDLE_MS, session.lastEndAt));
    const seen = { ...session, lastSeenAt: nowMs, endsAt };
    this.#parts.held.keep(seen);
    this.#used.add(session.jti);
    return seen;
  }
}

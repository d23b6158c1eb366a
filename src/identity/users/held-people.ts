import type { Query } from "#platform/storage/database.ts";
import { readSessions, readUsers } from "./store.ts";
import type { Session, User } from "./user.ts";

/** Users and sessions in memory, as the store has them: what every request of a session is judged by. */
export class HeldPeople {
  readonly #users = new Map<string, User>();
  readonly #sessions = new Map<string, Session>();

  /** What the store has now. */
  async load(query: Query): Promise<void> {
    for (const user of await readUsers(query)) this.put(user);
    for (const session of await readSessions(query)) this.keep(session);
  }

  /** In the order of their names. */
  users(): User[] {
    return [...this.#users.values()].sort((a, b) => (a.username < b.username ? -1 : 1));
  }

  user(id: string): User | undefined {
    return this.#users.get(id);
  }

  named(username: string): User | undefined {
    for (const user of this.#users.values()) if (user.username === username) return user;
    return undefined;
  }

  put(user: User): void {
    this.#users.set(user.id, user);
  }

  /** The user and his sessions are no more. */
  remove(id: string): void {
    this.#users.delete(id);
    this.endAllOf(id);
  }

  session(jti: string): Session | undefined {
    return this.#sessions.get(jti);
  }

  /** The newest first. */
  sessionsOf(userId: string): Session[] {
    const own = [...this.#sessions.values()].filter((session) => session.userId === userId);
    return own.sort((a, b) => b.createdAt - a.createdAt || (a.jti < b.jti ? -1 : 1));
  }

  keep(session: Session): void {
    this.#sessions.set(session.jti, session);
  }

  end(jti: string): void {
    this.#sessions.delete(jti);
  }

  endAllOf(userId: string): void {
    for (const { jti } of this.sessionsOf(userId)) this.end(jti);
  }

  /** The sessions that are over at this time. */
  over(nowMs: number): Session[] {
    return [...this.#sessions.values()].filter(({ endsAt }) => endsAt <= nowMs);
  }
}

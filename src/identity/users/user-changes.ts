import type { PermissionSets } from "#gates/access/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Query } from "#platform/storage/database.ts";
import { changeEntry } from "./change-entry.ts";
import type { HeldPeople } from "./held-people.ts";
import { refuseWeakPassword } from "./password-rules.ts";
import type { PeopleParts } from "./people-parts.ts";
import { refuseMightier, refuseMoreThanOwn } from "./rights.ts";
import { deleteAllFailures, deleteSessionsOf, deleteUser, putUser } from "./store.ts";
import { SUPERADMIN, type User } from "./user.ts";

/** Who asks, and the sets that say what he may hand out. */
export interface Asker {
  readonly by: ChangeAuthor;
  readonly sets: PermissionSets;
}

/** Somebody who is to be. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly permissions: readonly string[];
  readonly mustChangePassword: boolean;
}

/** Makes, changes and removes users. Nobody gets, or is taken over with, more rights than the caller has himself. */
export class UserChanges {
  readonly #parts: PeopleParts;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  /** AppError `conflict` for a name that is taken, `weak_password`, `exceeds_own_rights`, `bad_request`. */
  async create(wanted: NewUser, { by, sets }: Asker): Promise<User> {
    const { username, password } = wanted;
    refuseMoreThanOwn(by.principal, wanted.permissions, sets);
    refuseWeakPassword(password, username);
    const passwordHash = await this.#parts.hashes.make(password);
    return this.#write("user.create", by, async (query, now) => {
      if (this.#parts.held.named(username) !== undefined)
        throw new AppError("conflict", `There is a user called "${username}" already.`);
      const user: User = {
        id: newId("user", this.#parts.random),
        username,
        passwordHash,
        permissionSets: [...wanted.permissions],
        mustChangePassword: wanted.mustChangePassword,
        isInitial: false,
        createdAt: now,
        updatedAt: now,
        lastSignedInAt: null,
      };
      await putUser(query, user);
      return user;
    });
  }

  /** Other permission sets, from his next request on. AppError `not_found`, `last_superadmin`, and as `create`. */
  async setPermissions(id: string, permissions: readonly string[], { by, sets }: Asker): Promise<User> {
    return this.#write("user.update", by, async (query, now) => {
      const before = this.changeable(id, { by, sets });
      refuseMoreThanOwn(by.principal, permissions, sets);
      if (!permissions.includes(SUPERADMIN)) this.#refuseLast(before);
      const user = { ...before, permissionSets: [...permissions], updatedAt: now };
      await putUser(query, user);
      return user;
    });
  }

  /**
   * Another password: his sessions end. Who is on the machine clears what addresses got wrong, too. AppError `not_found`,
   * `weak_password`, `exceeds_own_rights`.
   */
  async setPassword(
    id: string,
    wanted: { readonly password: string; readonly mustChangePassword: boolean },
    { by, sets }: Asker,
  ): Promise<User> {
    const { username } = this.changeable(id, { by, sets });
    refuseWeakPassword(wanted.password, username);
    const passwordHash = await this.#parts.hashes.make(wanted.password);
    const change = async (query: Query, now: number) => {
      const before = this.changeable(id, { by, sets });
      const { mustChangePassword } = wanted;
      const changed = { ...before, passwordHash, mustChangePassword, isInitial: false, updatedAt: now };
      await putUser(query, changed);
      await deleteSessionsOf(query, id);
      if (by.principal.kind === "local") await deleteAllFailures(query);
      return changed;
    };
    return this.#write("user.password", by, change, (held, user) => {
      held.endAllOf(id);
      held.put(user);
    });
  }

  /** The user of this id, whom the caller may take over. AppError `not_found`, `exceeds_own_rights`. */
  changeable(id: string, { by, sets }: Asker): User {
    const user = this.#require(id);
    refuseMightier(by.principal, user.permissionSets, sets);
    return user;
  }

  /** He is no more, and his sessions neither. AppError `not_found`, `last_superadmin`. */
  async remove(id: string, by: ChangeAuthor): Promise<void> {
    const remove = async (query: Query) => {
      const user = this.#require(id);
      this.#refuseLast(user);
      await deleteUser(query, id);
      return user;
    };
    await this.#write("user.remove", by, remove, (held) => held.remove(id));
  }

  /** The change and its record, or neither; what the change gives is in force then. */
  async #write(
    action: string,
    by: ChangeAuthor,
    change: (query: Query, nowMs: number) => Promise<User>,
    inForce: (held: HeldPeople, user: User) => void = (held, user) => held.put(user),
  ): Promise<User> {
    const { database, clock, audit, held, turn } = this.#parts;
    const end = await turn.take();
    try {
      const user = await database.transaction(async (query) => {
        const changed = await change(query, clock.now());
        await audit.append(query, changeEntry(action, changed.username, by));
        return changed;
      });
      inForce(held, user);
      return user;
    } finally {
      end();
    }
  }

  #require(id: string): User {
    const user = this.#parts.held.user(id);
    if (user === undefined) throw new AppError("not_found", "There is no user of this id.");
    return user;
  }

  #refuseLast(user: User): void {
    const mighty = this.#parts.held.users().filter((each) => each.permissionSets.includes(SUPERADMIN));
    if (mighty.length === 1 && mighty[0]?.id === user.id) throw new AppError("last_superadmin");
  }
}

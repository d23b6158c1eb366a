import * as z from "zod";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";
import type { Session, User } from "./user.ts";

const sets = z.array(z.string());

/** Everybody, in the order of their names. */
export async function readUsers(query: Query): Promise<User[]> {
  const rows = await query.selectFrom("user").selectAll().orderBy("username").execute();
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    passwordHash: row.password_hash,
    permissionSets: sets.parse(JSON.parse(row.permission_sets)),
    mustChangePassword: row.must_change_password === 1,
    isInitial: row.is_initial === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSignedInAt: row.last_signed_in_at,
  }));
}

/** Stores a user, in place of the one of this id. */
export async function putUser(query: Query, user: User): Promise<void> {
  const { id, ...row } = toRow(user);
  await query
    .insertInto("user")
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

/** One write for each sign-in. */
export async function noteSignIn(query: Query, id: string, at: number): Promise<void> {
  await query.updateTable("user").set({ last_signed_in_at: at }).where("id", "=", id).execute();
}

export async function deleteUser(query: Query, id: string): Promise<void> {
  await deleteSessionsOf(query, id);
  await deleteFactor(query, id);
  await query.deleteFrom("user").where("id", "=", id).execute();
}

/** Every session, those that are over among them. */
export async function readSessions(query: Query): Promise<Session[]> {
  const rows = await query.selectFrom("session").selectAll().execute();
  return rows.map((row) => ({
    jti: row.jti,
    userId: row.user_id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    endsAt: row.ends_at,
    lastEndAt: row.last_end_at,
    passwordAt: row.password_at,
    address: row.address,
    userAgent: row.user_agent,
  }));
}

export async function insertSession(query: Query, session: Session): Promise<void> {
  const { jti, userId, address } = session;
  await query
    .insertInto("session")
    .values({
      jti,
      user_id: userId,
      created_at: session.createdAt,
      last_end_at: session.lastEndAt,
      address,
      user_agent: session.userAgent,
      ...usesOf(session),
    })
    .execute();
}

/** How it was used since it was stored; one that is no more stays so. */
export async function updateSession(query: Query, session: Session): Promise<void> {
  await query.updateTable("session").set(usesOf(session)).where("jti", "=", session.jti).execute();
}

export async function deleteSessions(query: Query, jtis: readonly string[]): Promise<void> {
  for (const jti of jtis) await query.deleteFrom("session").where("jti", "=", jti).execute();
}

export async function deleteSessionsOf(query: Query, userId: string): Promise<void> {
  await query.deleteFrom("session").where("user_id", "=", userId).execute();
}

export type LoginFailure = Tables["login_failure"];

export function readFailure(query: Query, network: string): Promise<LoginFailure | undefined> {
  return query.selectFrom("login_failure").selectAll().where("network", "=", network).executeTakeFirst();
}

export async function writeFailure(query: Query, failure: LoginFailure): Promise<void> {
  const { network, ...row } = failure;
  await query
    .insertInto("login_failure")
    .values({ network, ...row })
    .onConflict((conflict) => conflict.column("network").doUpdateSet(row))
    .execute();
}

export async function deleteFailure(query: Query, network: string): Promise<void> {
  await query.deleteFrom("login_failure").where("network", "=", network).execute();
}

export async function deleteAllFailures(query: Query): Promise<void> {
  await query.deleteFrom("login_failure").execute();
}

/** Forgets those whose last was before `beforeMs`, and beyond `most` those that are longest ago. */
export async function trimFailures(query: Query, most: number, beforeMs: number): Promise<void> {
  await query.deleteFrom("login_failure").where("last_at", "<=", beforeMs).execute();
  const spare = query
    .selectFrom("login_failure")
    .select("network")
    .orderBy("last_at", "desc")
    .orderBy("network")
    .limit(-1)
    .offset(most);
  await query.deleteFrom("login_failure").where("network", "in", spare).execute();
}

export function readFactor(query: Query, userId: string): Promise<Tables["second_factor"] | undefined> {
  return query.selectFrom("second_factor").selectAll().where("user_id", "=", userId).executeTakeFirst();
}

/** Which of these users are asked for a code when they sign in. */
export async function usersWithFactor(query: Query, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const confirmed = query.selectFrom("second_factor").select("user_id").where("confirmed", "=", 1);
  const rows = await confirmed.where("user_id", "in", ids).execute();
  return new Set(rows.map(({ user_id }) => user_id));
}

/** Stores it in place of the one before. */
export async function putFactor(query: Query, factor: Tables["second_factor"]): Promise<void> {
  const { user_id, ...row } = factor;
  await query
    .insertInto("second_factor")
    .values({ user_id, ...row })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(row))
    .execute();
}

/** These recovery codes, in place of all before. */
export async function putRecoveryCodes(
  query: Query,
  userId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  await query.deleteFrom("recovery_code").where("user_id", "=", userId).execute();
  for (const hash of hashes)
    await query.insertInto("recovery_code").values({ user_id: userId, hash }).execute();
}

/** Whether it was one of his recovery codes; it is none from now on. */
export async function takeRecoveryCode(query: Query, userId: string, hash: Buffer): Promise<boolean> {
  const taken = await query
    .deleteFrom("recovery_code")
    .where("user_id", "=", userId)
    .where("hash", "=", hash)
    .executeTakeFirst();
  return taken.numDeletedRows === 1n;
}

export async function deleteFactor(query: Query, userId: string): Promise<void> {
  await query.deleteFrom("recovery_code").where("user_id", "=", userId).execute();
  await query.deleteFrom("second_factor").where("user_id", "=", userId).execute();
}

function toRow(user: User): Tables["user"] {
  return {
    id: user.id,
    username: user.username,
    password_hash: user.passwordHash,
    permission_sets: JSON.stringify(user.permissionSets),
    must_change_password: user.mustChangePassword ? 1 : 0,
    is_initial: user.isInitial ? 1 : 0,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    last_signed_in_at: user.lastSignedInAt,
  };
}

function usesOf(session: Session) {
  return {
    last_seen_at: session.lastSeenAt,
    ends_at: session.endsAt,
    password_at: session.passwordAt,
  };
}

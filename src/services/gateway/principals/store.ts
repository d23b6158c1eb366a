import { sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";

/** An identity of the configuration file, as lists name it. */
export interface NamedIdentity {
  readonly id: string;
  readonly name: string;
}

/** Whoever can ask for models. */
interface Principal {
  readonly id: string;
  readonly name: string;
  readonly kind: "key" | "identity";
  readonly revoked: boolean;
}

/** Keys looked at by one statement; other work comes in between. */
const LOOKED_AT_ONCE = 20_000;

/** The names of issued keys, the revoked ones too, and of identities; whoever is neither has none. */
export async function principalNames(
  query: Query,
  ids: readonly string[],
  identities: readonly NamedIdentity[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const wanted = new Set(ids);
  const keys = await query
    .selectFrom("api_key")
    .select(["id", "name"])
    .where("id", "in", [...wanted])
    .execute();
  return new Map(
    [...identities.filter(({ id }) => wanted.has(id)), ...keys].map(({ id, name }) => [id, name] as const),
  );
}

/**
 * Those with this text in their names, in whichever case, or as their whole id: first whose id or name it is, then the
 * identities, then the keys, the newest first.
 */
export async function findPrincipals(
  query: Query,
  wanted: { readonly search: string; readonly limit: number },
  identities: readonly NamedIdentity[],
): Promise<readonly Principal[]> {
  const { search, limit } = wanted;
  const text = search.toLowerCase();
  const found = new Map<string, Principal>();
  const add = (one: Principal) => void (found.has(one.id) || found.set(one.id, one));
  const declared = identities.map(
    ({ id, name }) => ({ id, name, kind: "identity", revoked: false }) as const,
  );
  for (const key of await keysCalled(query, search)) add(key);
  for (const one of declared) if (one.id === search || one.name === search) add(one);
  for (const one of declared) if (one.name.toLowerCase().includes(text)) add(one);
  for await (const keys of keysLike(query, text, limit)) {
    for (const key of keys) add(key);
    if (found.size >= limit) break;
  }
  return [...found.values()].slice(0, limit);
}

interface KeyName {
  readonly id: string;
  readonly name: string;
  readonly revoked: number;
}

async function keysCalled(query: Query, text: string): Promise<readonly Principal[]> {
  const { rows } = await sql<KeyName>`
    SELECT id, name, revoked_at IS NOT NULL AS revoked FROM api_key WHERE id = ${text}
    UNION ALL SELECT id, name, 0 FROM api_key WHERE name = ${text} AND revoked_at IS NULL AND id <> ${text}`.execute(
    query,
  );
  return rows.map(toPrincipal);
}

/** Slice by slice, for there may be very many that have no such name. */
async function* keysLike(query: Query, text: string, limit: number): AsyncIterable<readonly Principal[]> {
  let before: { readonly created_at: number; readonly id: string } | undefined;
  do {
    const older =
      before === undefined ? sql`TRUE` : sql`(created_at, id) < (${before.created_at}, ${before.id})`;
    const slice = sql`FROM api_key WHERE ${older} ORDER BY created_at DESC, id DESC LIMIT`;
    const { rows } = await sql<KeyName>`
      SELECT id, name, revoked_at IS NOT NULL AS revoked FROM (SELECT * ${slice} ${LOOKED_AT_ONCE})
      WHERE instr(lower(name), ${text}) > 0 LIMIT ${limit}`.execute(query);
    yield rows.map(toPrincipal);
    const ends = await sql<{ created_at: number; id: string }>`
      SELECT created_at, id ${slice} 1 OFFSET ${LOOKED_AT_ONCE - 1}`.execute(query);
    before = ends.rows[0];
  } while (before !== undefined);
}

function toPrincipal({ id, name, revoked }: KeyName): Principal {
  return { id, name, kind: "key", revoked: revoked === 1 };
}

import type { Query } from "#platform/storage/database.ts";

/** The wrapped keys as they lie in the database. */
export interface StoredSeal {
  readonly root: { readonly wrappedBy: "machine"; readonly wrapped: Uint8Array } | undefined;
  /** Ascending by term. */
  readonly terms: readonly { readonly term: number; readonly wrapped: Uint8Array }[];
}

/** The root's row has this id and no other. */
export const ROOT_ID = 1;

/** What is stored; a fresh database has neither root nor terms. */
export async function readStoredSeal(query: Query): Promise<StoredSeal> {
  const root = await query
    .selectFrom("seal_root")
    .select(["wrapped_by as wrappedBy", "wrapped"])
    .where("id", "=", ROOT_ID)
    .executeTakeFirst();
  const terms = await query.selectFrom("seal_term").select(["term", "wrapped"]).orderBy("term").execute();
  return { root, terms };
}

/** Stores the root wrapped by the machine key. */
export async function insertRoot(query: Query, wrapped: Uint8Array): Promise<void> {
  await query.insertInto("seal_root").values({ id: ROOT_ID, wrapped_by: "machine", wrapped }).execute();
}

/** Stores one term wrapped by the root; `createdAt` in milliseconds since the Unix epoch. */
export async function insertTerm(
  query: Query,
  row: { term: number; wrapped: Uint8Array; createdAt: number },
): Promise<void> {
  await query
    .insertInto("seal_term")
    .values({ term: row.term, wrapped: row.wrapped, created_at: row.createdAt })
    .execute();
}

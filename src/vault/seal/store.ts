import type { Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";
import type { PassphraseFacts } from "./passphrase.ts";

export interface StoredTerm {
  readonly term: number;
  readonly wrapped: Uint8Array;
}

export type PassphraseSlot = PassphraseFacts & { readonly wrapped: Uint8Array };

/** `wrappingKey` is a sealed value. */
export interface RecoverySlot {
  readonly wrapped: Uint8Array;
  readonly wrappingKey: Uint8Array;
}

/** The wrapped keys as they lie in the database. */
export interface StoredSeal {
  readonly machine: { readonly wrapped: Uint8Array } | undefined;
  readonly passphrase: PassphraseSlot | undefined;
  readonly recovery: RecoverySlot | undefined;
  /** Ascending by term. */
  readonly terms: readonly StoredTerm[];
  /** Whether an operator locked the server and nobody has unlocked it since. */
  readonly lockedByHand: boolean;
  /** Which change is still to be cleaned up after; 0 for none. */
  readonly cleaning: number;
}

/** What is stored; a fresh database has neither slots nor terms. */
export async function readStoredSeal(query: Query): Promise<StoredSeal> {
  const slots = await query.selectFrom("seal_slot").selectAll().execute();
  const terms = await query.selectFrom("seal_term").select(["term", "wrapped"]).orderBy("term").execute();
  const state = await query.selectFrom("seal_state").selectAll().executeTakeFirst();
  const slotOf = (kind: string) => slots.find((slot) => slot.kind === kind);
  return {
    machine: slotOf("machine"),
    passphrase: toPassphraseSlot(slotOf("passphrase")),
    recovery: toRecoverySlot(slotOf("recovery")),
    terms,
    lockedByHand: typeof state?.locked_at === "number",
    cleaning: state?.cleaning ?? 0,
  };
}

/** When the passphrase and the recovery key were set that are in force; undefined where there is none. */
export async function slotTimes(query: Query): Promise<{ passphrase?: number; recovery?: number }> {
  const slots = await query.selectFrom("seal_slot").select(["kind", "created_at"]).execute();
  return Object.fromEntries(slots.map((slot) => [slot.kind, slot.created_at]));
}

/** Stores the root wrapped by the machine key; `createdAt` in milliseconds since the Unix epoch, here and below. */
export async function insertMachineSlot(query: Query, wrapped: Uint8Array, createdAt: number): Promise<void> {
  await query.insertInto("seal_slot").values({ kind: "machine", wrapped, created_at: createdAt }).execute();
}

/** Stores the passphrase's slot, in place of an older one. */
export async function putPassphraseSlot(
  query: Query,
  { wrapped, salt, cost, verifier }: PassphraseSlot,
  createdAt: number,
): Promise<void> {
  await query.deleteFrom("seal_slot").where("kind", "=", "passphrase").execute();
  const numbers = { memory_kib: cost.memoryKib, passes: cost.passes, lanes: cost.lanes };
  await query
    .insertInto("seal_slot")
    .values({ kind: "passphrase", wrapped, salt, verifier, ...numbers, created_at: createdAt })
    .execute();
}

/** Stores the recovery key's slot, in place of an older one. */
export async function putRecoverySlot(query: Query, slot: RecoverySlot, createdAt: number): Promise<void> {
  await deleteSlot(query, "recovery");
  const { wrapped, wrappingKey } = slot;
  await query
    .insertInto("seal_slot")
    .values({ kind: "recovery", wrapped, wrapping_key: wrappingKey, created_at: createdAt })
    .execute();
}

export async function deleteSlot(query: Query, kind: "machine" | "recovery"): Promise<void> {
  await query.deleteFrom("seal_slot").where("kind", "=", kind).execute();
}

/** Stores one term wrapped by the root. */
export async function insertTerm(query: Query, row: StoredTerm & { createdAt: number }): Promise<void> {
  const { term, wrapped, createdAt } = row;
  await query.insertInto("seal_term").values({ term, wrapped, created_at: createdAt }).execute();
}

/** When the term of this number was made; undefined where the store has none, or has dropped it. */
export async function termMadeAt(query: Query, term: number): Promise<number | undefined> {
  const row = await query
    .selectFrom("seal_term")
    .select("created_at")
    .where("term", "=", term)
    .executeTakeFirst();
  return row?.created_at;
}

/** The same term, wrapped by another root. */
export async function rewrapTerm(query: Query, { term, wrapped }: StoredTerm): Promise<void> {
  await query.updateTable("seal_term").set({ wrapped }).where("term", "=", term).execute();
}

export async function deleteTermsBelow(query: Query, term: number): Promise<void> {
  await query.deleteFrom("seal_term").where("term", "<", term).execute();
}

/** Notes that an operator locked the server; null once one unlocked it. */
export async function setLockedByHand(query: Query, at: number | null): Promise<void> {
  await query.updateTable("seal_state").set({ locked_at: at }).execute();
}

/** Notes that old ciphertext is to be cleaned out of the files. */
export async function beginCleaning(query: Query): Promise<void> {
  await query
    .updateTable("seal_state")
    .set((row) => ({ cleaning: row("cleaning", "+", 1) }))
    .execute();
}

/** Notes that it was, unless more came since `cleaning` was read. */
export async function endCleaning(query: Query, cleaning: number): Promise<void> {
  await query.updateTable("seal_state").set({ cleaning: 0 }).where("cleaning", "=", cleaning).execute();
}

/** The schema demands of a passphrase's row that it is whole. */
function toPassphraseSlot(row: Selectable<Tables["seal_slot"]> | undefined): PassphraseSlot | undefined {
  if (row === undefined) return undefined;
  const { wrapped, salt, verifier, memory_kib: memoryKib, passes, lanes } = row;
  if (salt === null || verifier === null || memoryKib === null || passes === null || lanes === null)
    return undefined;
  return { wrapped, salt, verifier, cost: { memoryKib, passes, lanes } };
}

function toRecoverySlot(row: Selectable<Tables["seal_slot"]> | undefined): RecoverySlot | undefined {
  if (row === undefined || row.wrapping_key === null) return undefined;
  return { wrapped: row.wrapped, wrappingKey: row.wrapping_key };
}

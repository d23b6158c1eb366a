import { suggestion } from "#platform/config/suggestion.ts";
import { nearestName } from "#platform/lib/nearest-name.ts";
import type { StoreFile } from "#platform/storage/store-file.ts";
import { readKeys, readRow } from "#platform/storage/stored-bytes.ts";
import { type SealedColumn, storedSeal } from "#vault/seal/index.ts";
import { BackupProblem } from "./container/problem.ts";

/** A row with a sealed value, as the report of a rotation names it. */
export interface ValueName {
  readonly table: string;
  /** Its primary key. */
  readonly id: string;
}

/** A sealed value of a backup that the store of today can open, if it is undamaged. */
export interface KeptValue {
  readonly at: SealedColumn;
  readonly name: ValueName;
  readonly bytes: Uint8Array;
  /** Whether the store holds other bytes in its place. */
  readonly changed: boolean;
}

interface Stores {
  readonly store: StoreFile;
  readonly backup: StoreFile;
  readonly sealed: readonly SealedColumn[];
}

type Row = NonNullable<Awaited<ReturnType<typeof readRow>>>;

/**
 * The wanted values, found in both stores. BackupProblem `value` where one cannot be put back: its table or row is not
 * there, it was set anew since the backup, is damaged there too, or sealed under a key that the store has no more.
 */
export async function findValues(stores: Stores, wanted: readonly ValueName[]): Promise<KeptValue[]> {
  const values: KeptValue[] = [];
  for (const name of wanted)
    for (const at of columnsOf(stores.sealed, name.table)) values.push(await findValue(stores, at, name));
  return values;
}

function columnsOf(sealed: readonly SealedColumn[], table: string): SealedColumn[] {
  const columns = sealed.filter((at) => at.table === table);
  if (columns.length > 0) return columns;
  const near = suggestion(
    table,
    sealed.map((at) => at.table),
  );
  throw problem(`no sealed values are kept in ${quoted(table)}${near}`);
}

async function findValue({ store, backup }: Stores, at: SealedColumn, name: ValueName): Promise<KeptValue> {
  const here = await rowOf(store, at, name, "this store");
  const kept = await rowOf(backup, at, name, "the backup");
  refuseSetAnew(here, kept, { at, name });
  const bytes = kept[at.column];
  if (!(bytes instanceof Uint8Array)) throw damagedThere(name);
  await refuseLostKey({ store, backup }, bytes, name);
  const present = here[at.column];
  return { at, name, bytes, changed: !(present instanceof Uint8Array && Buffer.from(present).equals(bytes)) };
}

async function rowOf(file: StoreFile, at: SealedColumn, name: ValueName, where: string): Promise<Row> {
  const known = file.hasTable(at.table);
  const row = known ? await readRow(file.query, at, name.id) : undefined;
  if (row !== undefined) return row;
  const near = known ? nearestName(name.id, await readKeys(file.query, at)) : undefined;
  const meant = near === undefined ? "" : ` (did you mean ${quoted(near)}?)`;
  throw problem(
    `there is no ${wordsOf(name)} in ${where}${meant}`,
    "name it as claviger key rotate does where it does not open; what is not in both is to be set anew",
  );
}

/** The old secret would be used under what is known of the new one. */
function refuseSetAnew(here: Row, kept: Row, { at, name }: Pick<KeptValue, "at" | "name">): void {
  if (at.writtenWith.every((column) => here[column] === kept[column])) return;
  throw problem(
    `${wordsOf(name)} was set anew after the backup was made, so what the backup holds is another value`,
    "take a later backup, or set it once more",
  );
}

async function refuseLostKey(
  { store, backup }: Pick<Stores, "store" | "backup">,
  bytes: Uint8Array,
  name: ValueName,
): Promise<void> {
  const then = await storedSeal.termOf(backup.query, bytes);
  if (then?.madeAt === undefined) throw damagedThere(name);
  const now = await storedSeal.termOf(store.query, bytes);
  if (now?.madeAt === then.madeAt) return;
  throw problem(
    `${wordsOf(name)} is sealed in the backup under a key that this store has no more (term ${then.term}): it was dropped when everything opened under a later one`,
    "take a later backup, set the value anew, or restore the backup as a whole: claviger restore --force FILE",
  );
}

function damagedThere(name: ValueName): BackupProblem {
  return problem(`${wordsOf(name)} is damaged in the backup too`, "take an older backup, or set it anew");
}

function problem(message: string, repair?: string): BackupProblem {
  return new BackupProblem("value", message, undefined, repair);
}

function wordsOf({ table, id }: ValueName): string {
  return quoted(`${table}/${id}`);
}

/** What was typed may hold anything. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Random } from "#platform/lib/random.ts";
import type { Query } from "#platform/storage/database.ts";
import {
  type BytesColumn,
  countBytes,
  MOST_AT_ONCE,
  readBytes,
  replaceBytes,
  type StoredBytes,
} from "#platform/storage/stored-bytes.ts";
import type { Keyring } from "./keyring.ts";
import { SealedValueError, startOfTerm } from "./sealed-value.ts";

/** A column of sealed values, each at the place of its table, column and primary key. */
export type SealedColumn = BytesColumn;

/** A value that does not open. It was left as it is. */
export interface FailedValue {
  readonly table: string;
  readonly id: string;
}

/** What became of the stored values; `skipped` were under the newest term already. */
export interface ResealReport {
  readonly resealed: number;
  readonly skipped: number;
  readonly failed: readonly FailedValue[];
}

/** Values opened and sealed between two looks at what else there is to do: some 2 ms. */
const WITHOUT_PAUSE = 32;

export interface Pass {
  readonly query: Query;
  readonly columns: readonly SealedColumn[];
  /** Asked for anew each time: it throws once the server is locked. */
  readonly keyring: () => Keyring;
  readonly random: Random;
  /** Leave out what is under the newest term; else that is opened too, to see whether it does. */
  readonly oldOnly: boolean;
  /** Told of every batch: how many values are done with. */
  readonly onDone: (values: number) => void;
}

/**
 * Goes through all values once and seals anew, under the newest term, those of older terms. A value that changes
 * meanwhile is left alone, one that does not open too. Gives how it went.
 */
export async function resealOnce(pass: Pass): Promise<ResealReport> {
  const sum = { resealed: 0, skipped: 0, failed: [] as FailedValue[] };
  for (const at of pass.columns) {
    let after: StoredBytes["key"] | undefined;
    for (;;) {
      const unlessStart = pass.oldOnly ? startOfTerm(pass.keyring().writeTerm) : undefined;
      const values = await readBytes(pass.query, at, { after, limit: MOST_AT_ONCE, unlessStart });
      if (values.length === 0) break;
      const batch = await renewAll(pass, at, values);
      sum.resealed += await replaceBytes(pass.query, at, batch.changes);
      sum.skipped += batch.skipped;
      sum.failed.push(...batch.failed);
      after = values.at(-1)?.key;
      pass.onDone(values.length);
    }
  }
  return sum;
}

/** How many values are under another term than the newest. */
export async function countOld(pass: Pick<Pass, "query" | "columns" | "keyring">): Promise<number> {
  return sumOf(pass, startOfTerm(pass.keyring().writeTerm));
}

export async function countAll(pass: Pick<Pass, "query" | "columns">): Promise<number> {
  return sumOf(pass, undefined);
}

async function sumOf(
  { query, columns }: Pick<Pass, "query" | "columns">,
  unlessStart: Uint8Array | undefined,
): Promise<number> {
  let sum = 0;
  for (const at of columns) sum += await countBytes(query, at, unlessStart);
  return sum;
}

interface Change {
  readonly key: StoredBytes["key"];
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

async function renewAll(pass: Pass, at: SealedColumn, values: readonly StoredBytes[]) {
  const batch = { changes: [] as Change[], failed: [] as FailedValue[], skipped: 0 };
  for (const [index, { key, bytes }] of values.entries()) {
    if (index % WITHOUT_PAUSE === 0) await nextTurn();
    const renewed = renew(pass, at, { key, bytes });
    if (renewed === "failed") batch.failed.push({ table: at.table, id: String(key) });
    else if (renewed === "new already") batch.skipped += 1;
    else batch.changes.push({ key, from: bytes, to: renewed });
  }
  return batch;
}

function renew(
  { keyring, random }: Pick<Pass, "keyring" | "random">,
  { table, column }: SealedColumn,
  { key, bytes }: StoredBytes,
): Uint8Array | "new already" | "failed" {
  const place = { table, column, key: String(key) };
  const keys = keyring();
  try {
    const plaintext = keys.open(place, bytes);
    try {
      const isNew = startOfTerm(keys.writeTerm).equals(bytes.subarray(0, 5));
      return isNew ? "new already" : keys.seal(place, plaintext, random);
    } finally {
      plaintext.fill(0);
    }
  } catch (error) {
    if (error instanceof SealedValueError) return "failed";
    throw error;
  }
}

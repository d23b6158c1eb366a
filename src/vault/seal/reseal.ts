import { setTimeout as sleep } from "node:timers/promises";
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
import type { Renew, Renewed } from "./renewing.ts";
import { startOfTerm } from "./sealed-value.ts";

/** A column of sealed values, each at the place of its table, column and primary key. */
export interface SealedColumn extends BytesColumn {
  /** Columns that are written together with a value: another content of one of them belongs to another value. */
  readonly writtenWith: readonly string[];
}

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

/** Values read and put back at once: few enough that neither holds up a request. */
const PAGE = MOST_AT_ONCE / 2;

export interface Pass {
  readonly query: Query;
  readonly columns: readonly SealedColumn[];
  /** Asked for anew each time: it throws once the server is locked. */
  readonly keyring: () => Keyring;
  /** Where values are opened and sealed. */
  readonly renew: Renew;
  /** Leave out what is under the newest term; else that is opened too, to see whether it does. */
  readonly oldOnly: boolean;
  /** How long to rest after each page of values, as a multiple of the time that it took. */
  readonly restShare: number;
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
      const began = performance.now();
      const unlessStart = pass.oldOnly ? startOfTerm(pass.keyring().writeTerm) : undefined;
      const values = await readBytes(pass.query, at, { after, limit: PAGE, unlessStart });
      if (values.length === 0) break;
      const batch = sorted(at, values, await pass.renew({ at, values }));
      sum.resealed += await replaceBytes(pass.query, at, batch.changes);
      sum.skipped += batch.skipped;
      sum.failed.push(...batch.failed);
      after = values.at(-1)?.key;
      pass.onDone(values.length);
      if (pass.restShare > 0) await sleep((performance.now() - began) * pass.restShare);
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

function sorted(at: SealedColumn, values: readonly StoredBytes[], renewed: readonly Renewed[]) {
  const batch = { changes: [] as Change[], failed: [] as FailedValue[], skipped: 0 };
  for (const [index, { key, bytes }] of values.entries()) {
    const to = renewed[index];
    if (to === "new already") batch.skipped += 1;
    else if (to === undefined || to === "failed") batch.failed.push({ table: at.table, id: String(key) });
    else batch.changes.push({ key, from: bytes, to });
  }
  return batch;
}

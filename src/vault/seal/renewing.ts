import { setImmediate as nextTurn } from "node:timers/promises";
import type { Random } from "#platform/lib/random.ts";
import type { BytesColumn, StoredBytes } from "#platform/storage/stored-bytes.ts";
import type { Keyring } from "./keyring.ts";
import { SealedValueError, startOfTerm } from "./sealed-value.ts";

/** Sealed values of one column. */
export interface Page {
  readonly at: Pick<BytesColumn, "table" | "column">;
  readonly values: readonly StoredBytes[];
}

/** What became of a value: it is sealed anew, or was under the newest term already, or does not open. */
export type Renewed = Uint8Array | "new already" | "failed";

/** What became of each value of the page, in its order. */
export type Renew = (page: Page) => Promise<readonly Renewed[]>;

/** Values opened and sealed between two looks at what else there is to do: some 0.3 ms. */
const WITHOUT_PAUSE = 16;

/** In this thread, and with pauses. The keyring is asked for anew after each of them: it throws once the server is locked. */
export function renewHere(keyring: () => Keyring, random: Random): Renew {
  return async ({ at, values }) => {
    const renewed: Renewed[] = [];
    for (let from = 0; from < values.length; from += WITHOUT_PAUSE) {
      await nextTurn();
      const few = { at, values: values.slice(from, from + WITHOUT_PAUSE) };
      renewed.push(...renewAll(few, keyring(), random));
    }
    return renewed;
  };
}

/** Opens every value, and seals those anew that are not under the keyring's newest term; see `Renew`. */
export function renewAll({ at, values }: Page, keys: Keyring, random: Random): Renewed[] {
  const newest = startOfTerm(keys.writeTerm);
  return values.map(({ key, bytes }) => {
    const place = { table: at.table, column: at.column, key: String(key) };
    try {
      const plaintext = keys.open(place, bytes);
      try {
        const isNew = newest.equals(bytes.subarray(0, newest.length));
        return isNew ? "new already" : keys.seal(place, plaintext, random);
      } finally {
        plaintext.fill(0);
      }
    } catch (error) {
      if (error instanceof SealedValueError) return "failed";
      throw error;
    }
  });
}

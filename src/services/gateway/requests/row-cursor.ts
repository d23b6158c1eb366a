import { crc32 } from "node:zlib";
import { AppError } from "#platform/lib/error.ts";
import type { RowList, RowPlace } from "./store.ts";

/**
 * A place in a list as callers hand it on: opaque, and good for the list of the same filter and order alone. The check finds what was
 * changed by hand or mixed up; it keeps no secret, for a place tells and allows nothing that the list does not.
 */
export function toRowCursor({ time, seq }: RowPlace, list: RowList): string {
  return Buffer.from(`${time}.${seq}.${checkOf(time, seq, list)}`).toString("base64url");
}

/** Throws AppError `bad_request` for anything but a cursor of this list. */
export function readRowCursor(cursor: string, list: RowList): RowPlace {
  const [time = Number.NaN, seq = Number.NaN] = Buffer.from(cursor, "base64url")
    .toString()
    .split(".")
    .map(Number);
  if (toRowCursor({ time, seq }, list) === cursor) return { time, seq };
  throw new AppError(
    "bad_request",
    "cursor is not one of this list: give the next_cursor of an answer as it is, with the filters and the order of that request.",
  );
}

function checkOf(time: number, seq: number, { filter, order }: RowList): number {
  const { requestId, principal, provider, model, status, from, to } = filter;
  return crc32(JSON.stringify([time, seq, requestId, principal, provider, model, status, from, to, order]));
}

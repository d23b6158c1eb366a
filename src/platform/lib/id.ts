import { numberFromBase62, numberToBase62, randomBase62 } from "./base62.ts";
import type { Random } from "./random.ts";

export type IdPrefix = "key" | "prov" | "cred" | "node" | "cluster" | "user" | "sess";

/** A prefixed id, 16 base62 characters (95 bits) after the prefix: `prov_3kTMd0…`. */
export function newId(prefix: IdPrefix, random: Random): string {
  return `${prefix}_${randomBase62(random, 16)}`;
}

const REQUEST = "req_";
const TIME_WIDTH = 8;
const RANDOM_WIDTH = 8;
const ID_LENGTH = REQUEST.length + TIME_WIDTH + RANDOM_WIDTH;
let prefixMs = -1;
let prefix = "";

/**
 * The id of a request: `req_`, `nowMs` (milliseconds since the epoch) as 8 base62 characters, 8 random ones (47 bits). Ids of
 * one time sort side by side, so that an index of very many grows at its end, and not on a page each.
 */
export function newRequestId(nowMs: number, random: Random): string {
  if (nowMs !== prefixMs) {
    prefixMs = nowMs;
    prefix = REQUEST + numberToBase62(nowMs, TIME_WIDTH);
  }
  return prefix + randomBase62(random, RANDOM_WIDTH);
}

/** The milliseconds since the epoch that an id of `newRequestId` tells; undefined for what does not look like one. */
export function timeOfRequestId(id: string): number | undefined {
  if (id.length !== ID_LENGTH || !id.startsWith(REQUEST)) return undefined;
  const timeMs = numberFromBase62(id.slice(REQUEST.length, REQUEST.length + TIME_WIDTH));
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

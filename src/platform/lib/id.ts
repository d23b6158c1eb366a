import { numberToBase62, randomBase62 } from "./base62.ts";
import type { Random } from "./random.ts";

export type IdPrefix = "key" | "prov" | "cred" | "node" | "cluster" | "user" | "sess";

/** A prefixed id, 16 base62 characters (95 bits) after the prefix: `prov_3kTMd0…`. */
export function newId(prefix: IdPrefix, random: Random): string {
  return `${prefix}_${randomBase62(random, 16)}`;
}

const TIME_WIDTH = 8;
let prefixMs = -1;
let prefix = "";

/**
 * The id of a request: `req_`, `nowMs` (milliseconds since the epoch) as 8 base62 characters, 8 random ones (47 bits). Ids of
 * one time sort side by side, so that an index of very many grows at its end, and not on a page each.
 */
export function newRequestId(nowMs: number, random: Random): string {
  if (nowMs !== prefixMs) {
    prefixMs = nowMs;
    prefix = `req_${numberToBase62(nowMs, TIME_WIDTH)}`;
  }
  return prefix + randomBase62(random, 16 - TIME_WIDTH);
}

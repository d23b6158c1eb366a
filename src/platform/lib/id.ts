import { randomBase62 } from "./base62.ts";
import type { Random } from "./random.ts";

export type IdPrefix = "req" | "key" | "prov" | "cred" | "node" | "cluster" | "user" | "sess";

/** A prefixed id, 16 base62 characters (95 bits) after the prefix: `prov_3kTMd0…`. */
export function newId(prefix: IdPrefix, random: Random): string {
  return `${prefix}_${randomBase62(random, 16)}`;
}

import * as z from "zod";
import type { Database, Query } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";
import { JOIN_TRIES, type Shares } from "./shares.ts";

/** Writes something within a transaction. */
export type Recorded = (query: Query) => Promise<void>;

/** Where a member's share of the tries is kept. */
export interface ShareStore {
  /** Undefined where there is none, or what is there is none. */
  read(): Promise<Shares | undefined>;
  /** Writes them, where given, and what `record` writes: both or neither. Throws AppError `storage_full`, and what `record` throws. */
  write(shares: Shares | undefined, record: Recorded): Promise<void>;
}

const FACTS = "cluster.join.";
const tries = z.coerce.number().int().min(0).max(JOIN_TRIES);
const facts = z.object({
  cluster_id: z.string(),
  number: z.coerce.number().int().min(1),
  opener: z.string(),
  members: z.string().transform((text) => text.split(" ").filter((id) => id !== "")),
  opened_ms: z.coerce.number().int(),
  held: tries,
  spent: tries,
});

/** In the rows `cluster.join.*` of the store's `meta`. */
export function openShareStore(database: Database): ShareStore {
  return {
    read: async () => {
      const parsed = facts.safeParse(Object.fromEntries(await readMeta(database.query, FACTS)));
      if (!parsed.success) return undefined;
      const {
        cluster_id: clusterId,
        number,
        opener,
        members,
        opened_ms: openedMs,
        held,
        spent,
      } = parsed.data;
      return { clusterId, term: { number, opener, members }, openedMs, held, spent };
    },
    write: (shares, record) =>
      database.transaction(async (query) => {
        if (shares !== undefined) await writeMeta(query, FACTS, factsOf(shares));
        await record(query);
      }),
  };
}

function factsOf({ clusterId, term, openedMs, held, spent }: Shares): Map<string, string> {
  return new Map([
    ["cluster_id", clusterId],
    ["number", String(term.number)],
    ["opener", term.opener],
    ["members", term.members.join(" ")],
    ["opened_ms", String(openedMs)],
    ["held", String(held)],
    ["spent", String(spent)],
  ]);
}

import type { Query } from "#platform/storage/database.ts";
import type { Anchor } from "./anchor.ts";
import { appendEntries, beginChain } from "./chain.ts";
import { judgeEnd } from "./chain-end.ts";
import { type ChainKeys, RowDigest } from "./chain-keys.ts";
import type { AuditNote } from "./notes.ts";
import type { TimedEntry } from "./record.ts";
import {
  chainNames,
  highestCheckpoint,
  lastRow,
  readHead,
  rowAt,
  rowsOfChain,
  startOfChain,
  targetsOf,
  writeHead,
} from "./store.ts";

/** The action of a record that a chain was found broken. */
export const BREAK = "audit.break";
/** The action of a record that vouches for rows of another chain, or of none: `chain first-last digest`. */
export const ADOPT = "audit.adopt";
const ROWS_AT_ONCE = 1000;

/** What a start found, in words. */
export interface ChainStart {
  readonly breaks: readonly string[];
  readonly adopted: readonly string[];
}

/**
 * Within a transaction, before anything else is written: where the chain does not end as it did, that is recorded, and it goes
 * on so that it shows for ever; rows of no chain, and those that a restore brought along, are vouched for; notes are written.
 */
export async function startChain(
  query: Query,
  parts: {
    readonly keys: ChainKeys;
    readonly anchor: Anchor | undefined;
    readonly notes: readonly AuditNote[];
    readonly forgedNotes: number;
    readonly nowMs: number;
  },
): Promise<ChainStart> {
  const { keys, notes, nowMs } = parts;
  const restored = notes.some((note) => note.restored);
  const end = await readEnd(query, { ...parts, restored });
  if (end === undefined) await beginChain(query, keys, nowMs);
  else if (end.breaks.length > 0) await writeHead(query, keys, end.head);
  const strangers = await strangeChains(query, keys.chain);
  const adopted: string[] = [];
  if (end === undefined || restored)
    for (const { chain } of strangers) adopted.push(await vouch(query, chain));
  const unexpected = restored ? [] : strangers.filter(({ chained }) => end !== undefined || chained);
  const breaks = [
    ...(end?.breaks ?? []),
    ...unexpected.map(({ chain }) => `the rows of ${chain} were written under another secret`),
    ...(parts.forgedNotes > 0 ? ["notes were put in"] : []),
  ];
  const entries = [
    ...breaks.map((target) => ownEntry(BREAK, target, nowMs)),
    ...adopted.map((target) => ownEntry(ADOPT, target, nowMs)),
    ...notes.map(({ restored: _, ...entry }) => entry),
  ];
  if (entries.length > 0) await appendEntries(query, keys, entries);
  return { breaks, adopted };
}

async function readEnd(
  query: Query,
  parts: {
    readonly keys: ChainKeys;
    readonly anchor: Anchor | undefined;
    readonly restored: boolean;
    readonly nowMs: number;
  },
) {
  const { keys, restored, nowMs } = parts;
  const anchor = restored ? undefined : parts.anchor?.read();
  const stored = await readHead(query, keys);
  const anchored = typeof anchor === "object" ? await rowAt(query, keys.chain, anchor.seq) : undefined;
  const marks = {
    stored,
    start: await startOfChain(query, keys.chain),
    last: await lastRow(query, keys.chain),
    highestCheckpoint: await highestCheckpoint(query, keys.chain),
    anchor,
    anchored,
    // No second checkpoint is made before there is an anchor.
    anchorExpected: parts.anchor !== undefined && !restored && (stored?.head.checkpoint ?? 0) > 1,
  };
  return judgeEnd(keys, marks, nowMs);
}

/** The chains that the own one does not vouch for, and whether they have hashes. */
async function strangeChains(query: Query, own: string): Promise<{ chain: string; chained: boolean }[]> {
  const vouched = new Set((await targetsOf(query, own, ADOPT)).map((target) => target.split(" ")[0]));
  const names = (await chainNames(query)).filter((chain) => chain !== own && !vouched.has(chain));
  return Promise.all(
    names.map(async (chain) => ({ chain, chained: (await lastRow(query, chain))?.hash != null })),
  );
}

async function vouch(query: Query, chain: string): Promise<string> {
  const digest = new RowDigest();
  let [first, last] = [0, -1];
  for (;;) {
    const rows = await rowsOfChain(query, chain, { after: last, limit: ROWS_AT_ONCE });
    for (const row of rows) digest.add(row);
    first ||= rows[0]?.seq ?? 0;
    last = rows.at(-1)?.seq ?? last;
    if (rows.length < ROWS_AT_ONCE) return `${chain} ${first}-${last} ${digest.end()}`;
  }
}

function ownEntry(action: string, target: string, time: number): TimedEntry {
  const outcome = action === BREAK ? "failure" : "success";
  return { time, actor: "server", action, target, outcome, address: null, requestId: null, count: 1 };
}

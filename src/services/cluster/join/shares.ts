import * as z from "zod";
import { MOST_NODES } from "../members/member-record.ts";

/** So many runs may be left without a valid last message, over all members, before joining closes. */
export const JOIN_TRIES = 20;
export const JOINING_OPEN_MS = 15 * 60_000;

const LONGEST_ID = 64;
const nodeId = z.string().max(LONGEST_ID);

/** One opening of joining, for the whole cluster; the greater number supersedes, of equal ones the greater opener. */
export interface Term {
  readonly number: number;
  /** The id of the node where it was opened. */
  readonly opener: string;
  /** The ids of those that had a share at first: the live members of then, the opener among them. */
  readonly members: readonly string[];
}

/** What one member has of a term. All that all hold and have spent of a term is never more than `JOIN_TRIES`. */
export interface Shares {
  readonly clusterId: string;
  readonly term: Term;
  /** By this machine's clock, in milliseconds since the Unix epoch. */
  readonly openedMs: number;
  /** Tries that only this member may spend or give away. */
  readonly held: number;
  /** Runs that it answered and that no valid last message took back. */
  readonly spent: number;
}

/** What one member tells another of the term that it knows; no clock is compared, only the rest of the time travels. */
export const termTold = z.strictObject({
  number: z.int().min(1),
  opener: nodeId,
  members: z.array(nodeId).max(MOST_NODES).describe("Empty once joining is closed."),
  open_ms: z.int().min(0).max(JOINING_OPEN_MS).describe("For how long joining is still open."),
  held: z.int().min(0).max(JOIN_TRIES).describe("How many tries the one that tells has left."),
});
export type TermTold = Readonly<z.infer<typeof termTold>>;

/** Who this member is. */
interface Own {
  readonly id: string;
  readonly clusterId: string;
}

/** The term that follows `known`, as its opener has it. */
export function openedShares(
  known: Shares | undefined,
  own: Own,
  { others, nowMs }: { readonly others: readonly string[]; readonly nowMs: number },
): Shares {
  const number = (known?.term.number ?? 0) + 1;
  const term = { number, opener: own.id, members: [own.id, ...others] };
  return { clusterId: own.clusterId, term, openedMs: nowMs, held: firstShare(term, own.id), spent: 0 };
}

/** What this member has once it heard `told`; undefined where it knows that term or a later one. */
export function heardShares(
  known: Shares | undefined,
  told: TermTold,
  own: Own,
  nowMs: number,
): Shares | undefined {
  const { number, opener, members } = told;
  const term = { number, opener, members };
  if (known !== undefined && !supersedes(term, known.term)) return undefined;
  // A term of its own that it does not know was forgotten by an older copy of the store: what is spent of it, nobody knows.
  const held = opener === own.id ? 0 : firstShare(term, own.id);
  const openedMs = nowMs - (JOINING_OPEN_MS - told.open_ms);
  return { clusterId: own.clusterId, term, openedMs, held, spent: 0 };
}

/** What others are told, where joining is still open for so long. */
export function toldOf({ term, held }: Shares, leftMs: number): TermTold {
  const { number, opener, members } = term;
  return { number, opener, members: leftMs === 0 ? [] : [...members], open_ms: leftMs, held };
}

/** For how many milliseconds joining is still open, by the clock of who holds them; 0 where it is closed. */
export function openForMs({ openedMs }: Shares, nowMs: number): number {
  const sinceMs = nowMs - openedMs;
  // A clock that was set back must not keep it open for longer.
  return sinceMs >= 0 && sinceMs < JOINING_OPEN_MS ? JOINING_OPEN_MS - sinceMs : 0;
}

/** Whether one more may be spent without any other member being reached; `nodes` is how many live members there are. */
export function maySpendAlone({ term, held, spent }: Shares, nodes: number): boolean {
  return held > 0 && spent < Math.floor(JOIN_TRIES / Math.max(term.members.length, nodes));
}

/** Whether these are one opening. */
export function isSameTerm(
  one: Pick<Term, "number" | "opener">,
  other: Pick<Term, "number" | "opener">,
): boolean {
  return one.number === other.number && one.opener === other.opener;
}

function supersedes(one: Term, other: Term): boolean {
  return one.number === other.number ? one.opener > other.opener : one.number > other.number;
}

/** Each of the first members has as many as the others; what is left over is the opener's. */
function firstShare({ opener, members }: Term, id: string): number {
  if (!members.includes(id)) return 0;
  const each = Math.floor(JOIN_TRIES / members.length);
  return id === opener ? each + (JOIN_TRIES % members.length) : each;
}

import { type MemberRecord, nodeName } from "./member-record.ts";
import { hasSameKeys, liveOthers, type MemberList, mergeLists, saysSame } from "./merge.ts";

/** What a server is, as it sees itself. */
export interface OwnFacts {
  readonly id: string;
  /** The machine's name. */
  readonly hostName: string;
  /** Where other machines reach it, the likeliest first. */
  readonly urls: readonly string[];
  /** Its own Ed25519 public key (SPKI, DER), base64url. */
  readonly nodeKey: string;
  /** SHA-256 of the public keys (SPKI, DER) of its certificates, base64url. */
  readonly tlsKeys: readonly string[];
}

const LONGEST_NAME = 63;

/** The first record of a server about itself. */
function firstRecord(facts: OwnFacts): MemberRecord {
  const { id, hostName, urls, nodeKey, tlsKeys } = facts;
  return {
    id,
    name: fitName(hostName),
    urls: [...urls],
    node_key: nodeKey,
    tls_keys: [...tlsKeys],
    admission: 1,
    seq: 1,
    left: false,
  };
}

/** The record with which it asks to be admitted: with the keys of now, as itself still where it was a member before. */
export function recordToAdmit(facts: OwnFacts, before: MemberRecord | undefined): MemberRecord {
  const first = firstRecord(facts);
  return before === undefined ? first : { ...first, name: before.name, admission: before.admission + 1 };
}

/**
 * The list with what a server has to say of itself: whatever it is called there its name is `name`, where it has one. Of
 * two nodes of one name the one of the lesser id keeps it, and who is new takes nobody's.
 */
export function withOwnRecord(list: MemberList, facts: OwnFacts, name: string | undefined): MemberList {
  const others = liveOthers(list, facts.id);
  const listed = list.get(facts.id);
  const before = listed ?? firstRecord(facts);
  const wanted = name ?? before.name;
  const isTaken = others.some(
    (other) => other.name === wanted && (listed === undefined || other.id < facts.id),
  );
  const free = isTaken ? freeName(wanted, new Set(others.map((other) => other.name))) : wanted;
  if (listed === undefined) return mergeLists(list, [{ ...before, name: free }]);
  const corrected = correctedRecord(listed, { name: free, facts, isAlone: others.length === 0 });
  return corrected === undefined ? list : mergeLists(list, [corrected]);
}

/**
 * What a server has to say of itself, where that is not what the list has: other addresses; content that somebody else
 * wrote, also by an older state of this server; and, where it is alone and nobody pinned them, other keys. Undefined where
 * the list is right: also for one that was removed, and for one whose keys wait for a join.
 */
function correctedRecord(
  listed: MemberRecord,
  known: { readonly name: string; readonly facts: OwnFacts; readonly isAlone: boolean },
): MemberRecord | undefined {
  if (listed.left) return undefined;
  const { name, facts, isAlone } = known;
  const { admission, seq } = listed;
  const own = { ...firstRecord(facts), name, admission, seq };
  if (!hasSameKeys(own, listed) && isAlone) return { ...own, admission: admission + 1, seq: 1 };
  const pinned = { ...own, node_key: listed.node_key, tls_keys: listed.tls_keys };
  return saysSame(pinned, listed) ? undefined : { ...pinned, seq: seq + 1 };
}

/** `name`, or with a number behind it, the least from 2 that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const base = name.replace(/-\d+$/, "");
  for (let number = 2; ; number++) {
    const ending = `-${number}`;
    const next = `${base.slice(0, LONGEST_NAME - ending.length)}${ending}`;
    if (!taken.has(next)) return next;
  }
}

/** The machine's name as a node may be called. */
function fitName(hostName: string): string {
  const fit = hostName
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, LONGEST_NAME);
  return nodeName.safeParse(fit).success ? fit : "node";
}

import { sha256 } from "#platform/lib/hmac.ts";
import { type MemberRecord, MOST_NODES, MOST_RECORDS } from "./member-record.ts";

/** Records by the ids of their nodes. */
export type MemberList = ReadonlyMap<string, MemberRecord>;

/**
 * What both lists know together. It is the same in whatever order lists come, and however often: of two records of a node
 * one is the greater, by `isGreater`, whoever asks.
 */
export function mergeLists(known: MemberList, given: Iterable<MemberRecord>): MemberList {
  const merged = new Map(known);
  for (const record of [...given].map(slim)) {
    const before = merged.get(record.id);
    if (before === undefined || isGreater(record, before)) merged.set(record.id, record);
  }
  return bounded(merged);
}

/** As `mergeLists`; where that would put a live node out of the list nobody who is new comes in. */
export function mergeWithin(known: MemberList, given: readonly MemberRecord[]): MemberList {
  const merged = mergeLists(known, given);
  const isLost = [...known.values()].some(({ id, left }) => !left && !merged.has(id));
  if (!isLost) return merged;
  const ofKnown = given.filter(({ id }) => known.has(id));
  return mergeLists(known, ofKnown);
}

/**
 * The greater admission counts, then the keys (which change with an admission only: two of the same one come of two
 * members that admitted a node without knowing of each other), then the greater seq, then the text.
 */
export function isGreater(one: MemberRecord, other: MemberRecord): boolean {
  const keys = compareTexts(keysOf(one), keysOf(other));
  const order = one.admission - other.admission || keys || one.seq - other.seq;
  return (order || compareTexts(textOf(one), textOf(other))) > 0;
}

export function hasSameKeys(one: MemberRecord, other: MemberRecord): boolean {
  return keysOf(one) === keysOf(other);
}

/** Whether they say the same, whatever their admission and seq. */
export function saysSame(one: MemberRecord, other: MemberRecord): boolean {
  const same = { admission: 1, seq: 1 };
  return textOf({ ...one, ...same }) === textOf({ ...other, ...same });
}

/** By their ids. */
export function inOrder(list: MemberList): readonly MemberRecord[] {
  return [...list.values()].sort((one, other) => compareTexts(one.id, other.id));
}

/** All but this one and those that left, by their ids. */
export function liveOthers(list: MemberList, id: string): readonly MemberRecord[] {
  return inOrder(list).filter((record) => record.id !== id && !record.left);
}

/** Equal for equal lists: SHA-256 of the records by their ids, base64url. */
export function digestOf(list: MemberList): string {
  return sha256(inOrder(list).map(textOf).join("\n")).toString("base64url");
}

/** Of one that left nobody needs to know where it was. */
function slim(record: MemberRecord): MemberRecord {
  return record.left && record.urls.length > 0 ? { ...record, urls: [] } : record;
}

/** The same from the same records on every member, so that what one of them drops is not brought back by the next. */
function bounded(list: Map<string, MemberRecord>): MemberList {
  if (list.size <= MOST_NODES) return list;
  const records = inOrder(list);
  const live = records.filter(({ left }) => !left).slice(0, MOST_NODES);
  const gone = records.filter(({ left }) => left).slice(0, MOST_RECORDS - live.length);
  return new Map([...live, ...gone].map((record) => [record.id, record]));
}

function keysOf({ node_key: nodeKey, tls_keys: tlsKeys }: MemberRecord): string {
  return JSON.stringify([nodeKey, tlsKeys]);
}

function textOf(record: MemberRecord): string {
  const { id, name, urls, node_key, tls_keys, admission, seq, left } = record;
  return JSON.stringify([id, name, urls, node_key, tls_keys, admission, seq, left]);
}

/** By their code units, as no locale changes it. */
function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

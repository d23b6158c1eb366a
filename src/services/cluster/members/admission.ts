import { AppError } from "#platform/lib/error.ts";
import { type MemberRecord, MOST_NODES } from "./member-record.ts";
import { inOrder, type MemberList } from "./merge.ts";
import { freeName } from "./own-record.ts";

/**
 * The record of one that proved the PIN, as all are to know it: of a greater admission than any before, under a name
 * that is free. Throws AppError `cluster_full`; `node_exists` where another server of that id is there.
 */
export function admittedRecord(
  list: MemberList,
  given: MemberRecord,
  { ownId, isHeard }: { readonly ownId: string; readonly isHeard: (id: string) => boolean },
): MemberRecord {
  const { id } = given;
  const known = list.get(id);
  const isLive = known !== undefined && !known.left;
  const isTaken = isLive && known.node_key !== given.node_key && isHeard(id);
  if (id === ownId || isTaken) throw new AppError("node_exists");
  const live = inOrder(list).filter(({ left }) => !left);
  if (!isLive && live.length >= MOST_NODES) throw new AppError("cluster_full");
  const names = new Set(live.filter((record) => record.id !== id).map(({ name }) => name));
  const admission = Math.max(given.admission, (known?.admission ?? 0) + 1);
  return { ...given, name: freeName(given.name, names), admission, seq: 1, left: false };
}

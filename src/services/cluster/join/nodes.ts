import { AppError } from "#platform/lib/error.ts";
import { type MemberRecord, memberRecord } from "../members/member-record.ts";

/**
 * What a joiner that proved the PIN says of itself as a node. Throws AppError `bad_request` where it is none, or of
 * another key than the one it began with.
 */
export function parseNode(text: string, nodeKey: string): MemberRecord {
  try {
    const node = memberRecord.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    if (node.node_key === nodeKey) return node;
  } catch {
    // Refused as one of another key.
  }
  throw new AppError("bad_request", "The joiner does not say of itself what a node says.");
}

/** These ids first, then those that live. */
export function nearestFirst(
  records: readonly MemberRecord[],
  first: readonly string[],
): readonly MemberRecord[] {
  const rank = ({ id, left }: MemberRecord) => (first.includes(id) ? 0 : left ? 2 : 1);
  return [...records].sort((one, other) => rank(one) - rank(other));
}

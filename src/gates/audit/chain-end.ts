import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { AuditColumns, ChainKeys, Checkpoint, Head, Point } from "./chain-keys.ts";
import type { StoredHead } from "./store.ts";

/** Everything that tells where a chain ends. */
export interface EndMarks {
  readonly stored: StoredHead | undefined;
  readonly start: Checkpoint | undefined;
  readonly last: AuditColumns | undefined;
  readonly highestCheckpoint: number;
  readonly anchor: Point | "forged" | undefined;
  /** The row the anchor names, where it is there. */
  readonly anchored: AuditColumns | undefined;
  /** Whether an anchor is kept at all, and none is to be expected to be old. */
  readonly anchorExpected: boolean;
}

/** Where a chain is to go on, and in words what does not fit; undefined for a chain that leaves no trace. */
export interface ChainEnd {
  readonly head: Head;
  readonly breaks: readonly string[];
}

/**
 * Compares the marks. A chain goes on behind the furthest of them, so that rows that are gone leave a gap in the numbers,
 * which nobody closes without the secret.
 */
export function judgeEnd(keys: ChainKeys, marks: EndMarks, nowMs: number): ChainEnd | undefined {
  const { stored, start, last, highestCheckpoint, anchor } = marks;
  const point = anchor === "forged" ? undefined : anchor;
  if (stored === undefined && last === undefined && highestCheckpoint === 0 && point === undefined)
    return undefined;
  const head = stored?.genuine === true ? stored.head : undefined;
  const breaks = [...brokenMarks(marks), ...brokenRows(marks, head), ...brokenAnchor(marks, head)];
  if (head !== undefined && breaks.length === 0) return { head, breaks };
  const ends = [head, point, last, start].filter((end) => end !== undefined);
  const furthest = ends.reduce(
    (far, end) => (end.seq > far.seq ? end : far),
    ends[0] ?? { seq: 0, hash: null },
  );
  const checkpoint = Math.max(highestCheckpoint, head?.checkpoint ?? 0, point?.checkpoint ?? 0);
  return {
    head: {
      chain: keys.chain,
      seq: furthest.seq,
      hash: furthest.hash ?? keys.genesis(furthest.seq),
      checkpoint,
      checkpoint_seq: head?.checkpoint_seq ?? 0,
      checkpoint_time: head?.checkpoint_time ?? nowMs,
    },
    breaks,
  };
}

function brokenMarks({ stored, start, anchor, anchorExpected }: EndMarks): string[] {
  return [
    ...(stored === undefined ? ["the head is missing"] : []),
    ...(stored?.genuine === false ? ["the head was changed"] : []),
    ...(start === undefined ? ["the checkpoint at the start is missing"] : []),
    ...(anchor === "forged" ? ["the anchor was changed"] : []),
    ...(anchor === undefined && anchorExpected ? ["the anchor is missing"] : []),
  ];
}

function brokenRows({ start, last }: EndMarks, head: Head | undefined): string[] {
  if (head === undefined) return [];
  const lastSeq = last?.seq ?? start?.seq ?? 0;
  if (lastSeq < head.seq) return [`rows ${lastSeq + 1} to ${head.seq} are missing`];
  if (lastSeq > head.seq) return [`rows ${head.seq + 1} to ${lastSeq} were put in`];
  return last !== undefined && !isHash(last.hash, head.hash) ? [`row ${lastSeq} was changed`] : [];
}

function brokenAnchor({ start, last, anchor, anchored }: EndMarks, head: Head | undefined): string[] {
  if (anchor === undefined || anchor === "forged") return [];
  const end = head?.seq ?? last?.seq ?? start?.seq ?? 0;
  if (anchor.seq > end)
    return [`the store is an older copy, or was cut: rows ${end + 1} to ${anchor.seq} are missing`];
  return anchored !== undefined && !isHash(anchored.hash, anchor.hash)
    ? [`row ${anchor.seq} was changed`]
    : [];
}

function isHash(found: Uint8Array | null, wanted: Uint8Array): boolean {
  return found !== null && constantTimeEqual(found, wanted);
}

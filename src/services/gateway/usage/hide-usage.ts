import type { ByteRange } from "../json-body.ts";
import { JsonScanner } from "../json-scanner.ts";
import { afterLineEnd, type DataLine, followsEmptyLine, usageLines } from "./data-line.ts";

const MAX_DEPTH = 64;
const OPEN_BRACE = 0x7b;

interface Member {
  readonly name: string;
  readonly keyStart: number;
  readonly value: ByteRange;
}

/**
 * Complete events of a chat stream without what `include_usage` added to them, for a client that did not ask: the
 * chunk with figures and no choices goes whole, and the `"usage":null` of the other chunks goes out of them. Figures
 * in a chunk with choices stay: an upstream that puts them there does so unasked. All other bytes are the same.
 */
export function hideUsage(events: Buffer): Buffer {
  const cuts = [...usageLines(events)].flatMap((line) => cutFor(events, line) ?? []);
  if (cuts.length === 0) return events;
  const kept: Buffer[] = [];
  let from = 0;
  for (const { start, end } of cuts) {
    kept.push(events.subarray(from, start));
    from = end;
  }
  return Buffer.concat([...kept, events.subarray(from)]);
}

function cutFor(events: Buffer, line: DataLine): ByteRange | undefined {
  const members = rootMembers(events, line);
  const at = members.findIndex(({ name }) => name === '"usage"');
  const usage = members[at];
  if (usage === undefined) return undefined;
  if (textOf(events, usage.value, 5) === "null") {
    const before = members[at - 1];
    const after = members[at + 1];
    if (before !== undefined) return { start: before.value.end, end: usage.value.end };
    return after === undefined ? undefined : { start: usage.keyStart, end: after.keyStart };
  }
  const choices = members.find(({ name }) => name === '"choices"');
  const isExtra =
    events[usage.value.start] === OPEN_BRACE &&
    choices !== undefined &&
    /^\[\s*\]$/.test(textOf(events, choices.value, 8));
  return isExtra ? wholeEvent(events, line) : undefined;
}

/** The line, and the empty line behind it where nothing else of its event is left. */
function wholeEvent(events: Buffer, line: DataLine): ByteRange {
  const end = afterLineEnd(events, line.end);
  return { start: line.start, end: followsEmptyLine(events, line.start) ? afterLineEnd(events, end) : end };
}

/** None when the line is not a JSON object. */
function rootMembers(events: Buffer, line: DataLine): readonly Member[] {
  const members: Member[] = [];
  const data = events.subarray(line.valueStart, line.end);
  const onMember = (keyStart: number, keyEnd: number, start: number, end: number) => {
    members.push({
      name: data.toString("latin1", keyStart, keyEnd),
      keyStart: line.valueStart + keyStart,
      value: { start: line.valueStart + start, end: line.valueStart + end },
    });
  };
  try {
    new JsonScanner(data, MAX_DEPTH, onMember).scan();
  } catch {
    return [];
  }
  return members;
}

function textOf(bytes: Buffer, range: ByteRange, limit: number): string {
  return bytes.toString("latin1", range.start, Math.min(range.end, range.start + limit));
}

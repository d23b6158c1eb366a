import { bytesFinder } from "#platform/lib/bytes-finder.ts";
import type { ByteRange } from "../json-body.ts";
import { afterLineEnd, type EventLine, followsEmptyLine, lineAt } from "./event-line.ts";
import { memberFromEnd } from "./member-from-end.ts";

const findUsage = bytesFinder(Buffer.from('"usage"'));
const COMMA = 0x2c;
/** Longest value worth reading as text: `null` or `[]` with some white space. */
const SHORT_BYTES = 16;

/**
 * Complete events of a chat stream without what `include_usage` added to them, for a client that did not ask: the
 * chunk with figures and no choices goes whole, and the `"usage":null` of the other chunks goes out of them. Figures
 * in a chunk with choices stay: an upstream that puts them there does so unasked. All other bytes are the same.
 */
export function hideUsage(events: Buffer): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  // In a string the quotes would be escaped: a hit is a key, or a string that says just that.
  for (let at = findUsage(events); at !== -1; ) {
    const line = lineAt(events, at);
    if (line === undefined) break;
    const cut = cutFor(events, line);
    if (cut !== undefined) {
      kept.push(events.subarray(from, cut.start));
      from = cut.end;
    }
    at = findUsage(events, line.end);
  }
  return from === 0 && kept.length === 0 ? events : Buffer.concat([...kept, events.subarray(from)]);
}

function cutFor(events: Buffer, line: EventLine): ByteRange | undefined {
  if (line.dataStart === undefined) return undefined;
  const data = events.subarray(line.dataStart, line.end);
  const usage = memberFromEnd(data, "usage");
  if (usage === undefined) return undefined;
  const value = shortText(data, usage);
  if (value === "null") return shifted(memberWithComma(data, usage.keyStart, usage.end), line.dataStart);
  const choices = value.startsWith("{") ? memberFromEnd(data, "choices") : undefined;
  return choices !== undefined && /^\[\s*\]$/.test(shortText(data, choices))
    ? wholeEvent(events, line)
    : undefined;
}

/** With the comma before it; the first member with the one behind it; an only member not at all. */
function memberWithComma(data: Buffer, keyStart: number, end: number): ByteRange | undefined {
  let before = keyStart - 1;
  while (data[before] === 0x20) before -= 1;
  if (data[before] === COMMA) return { start: before, end };
  return data[end] === COMMA ? { start: keyStart, end: end + 1 } : undefined;
}

/** The line, and the empty line behind it where nothing else of its event is left. */
function wholeEvent(events: Buffer, line: EventLine): ByteRange {
  const end = afterLineEnd(events, line.end);
  return { start: line.start, end: followsEmptyLine(events, line.start) ? afterLineEnd(events, end) : end };
}

function shifted(range: ByteRange | undefined, by: number): ByteRange | undefined {
  return range === undefined ? undefined : { start: range.start + by, end: range.end + by };
}

function shortText(bytes: Buffer, range: ByteRange): string {
  return bytes.toString("latin1", range.start, Math.min(range.end, range.start + SHORT_BYTES)).trim();
}

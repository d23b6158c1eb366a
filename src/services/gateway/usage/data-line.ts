const LF = 0x0a;
const CR = 0x0d;
const USAGE = Buffer.from('"usage"');
const DATA = "data:";

/** A `data:` line of an event stream, in offsets; `end` is before its line end. */
export interface DataLine {
  readonly start: number;
  /** Where what follows `data:` begins. */
  readonly valueStart: number;
  readonly end: number;
}

/**
 * The whole `data:` lines in which the bytes `"usage"` stand, in order. In a string its quotes would be escaped, so a
 * hit is a key, or a string that says just that. A line cut off by the end of `events` is left out.
 */
export function* usageLines(events: Buffer): Generator<DataLine> {
  for (let at = events.indexOf(USAGE); at !== -1; ) {
    const start = lineStart(events, at);
    const end = lineEnd(events, at);
    if (end === undefined) return;
    if (events.toString("latin1", start, start + DATA.length) === DATA)
      yield { start, valueStart: start + DATA.length, end };
    at = events.indexOf(USAGE, end);
  }
}

/** Steps over one line end at `at`, if there is one. */
export function afterLineEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : at + 1;
  return bytes[at] === LF ? at + 1 : at;
}

/** Whether the line before the one that begins at `start` is empty, or there is none. */
export function followsEmptyLine(bytes: Buffer, start: number): boolean {
  if (start === 0) return true;
  const end = start - (bytes[start - 1] === LF && bytes[start - 2] === CR ? 2 : 1);
  return end === 0 || isLineEnd(bytes[end - 1]);
}

function lineStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && !isLineEnd(bytes[start - 1])) start -= 1;
  return start;
}

function lineEnd(bytes: Buffer, at: number): number | undefined {
  const lf = bytes.indexOf(LF, at);
  const cr = (lf === -1 ? bytes : bytes.subarray(0, lf)).indexOf(CR, at);
  if (cr !== -1) return cr;
  return lf === -1 ? undefined : lf;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

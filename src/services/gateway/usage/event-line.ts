const LF = 0x0a;
const CR = 0x0d;
const DATA = "data:";

/** A line of an event stream, in offsets; `end` is before its line end. */
export interface EventLine {
  readonly start: number;
  readonly end: number;
  /** Behind `data:`; undefined for any other line. */
  readonly dataStart: number | undefined;
}

/** The line around `at`; undefined when its end is missing. */
export function lineAt(bytes: Buffer, at: number): EventLine | undefined {
  const end = lineEnd(bytes, at);
  if (end === undefined) return undefined;
  let start = at;
  while (start > 0 && !isLineEnd(bytes[start - 1])) start -= 1;
  const isData = bytes.toString("latin1", start, start + DATA.length) === DATA;
  return { start, end, dataStart: isData ? start + DATA.length : undefined };
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

function lineEnd(bytes: Buffer, at: number): number | undefined {
  const lf = bytes.indexOf(LF, at);
  const cr = (lf === -1 ? bytes : bytes.subarray(0, lf)).indexOf(CR, at);
  if (cr !== -1) return cr;
  return lf === -1 ? undefined : lf;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

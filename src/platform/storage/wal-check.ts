import { closeSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

type Sums = readonly [number, number];

interface Frame {
  readonly saltsMatch: boolean;
  readonly isCommit: boolean;
  readonly stored: Sums;
  /** Whether its checksum goes on from `before`, the one of the frame in front of it. */
  follows(before: Sums): boolean;
}

/**
 * Whether a write-ahead log lost answered commits: SQLite takes a frame that does not add up for the end of the log and
 * drops the rest without a word. A torn end is usual after a power cut; a break that whole transactions follow is not,
 * since each was on the disk before the next began. Format: sqlite.org/fileformat2.html#walformat.
 */
export function isWalDamaged(path: string): boolean {
  const file = openIfThere(path);
  if (file === undefined) return false;
  try {
    const header = readAt(file, 0, HEADER_BYTES);
    if (header === undefined || header.every((byte) => byte === 0)) return false;
    const little = (header.readUInt32BE(0) & 1) === 0;
    const start = addUp([0, 0], header.subarray(0, 24), little);
    const pageBytes = header.readUInt32BE(8);
    const known = header.readUInt32BE(0) >>> 1 === MAGIC >>> 1;
    if (!known || !same(start, sumsAt(header, 24))) return readAt(file, HEADER_BYTES, 1) !== undefined;
    return isBroken(framesOf(file, { pageBytes, little, salts: header.subarray(16, 24) }), start);
  } finally {
    closeSync(file);
  }
}

function isBroken(frames: Iterable<Frame>, start: Sums): boolean {
  let before: Frame | undefined;
  let whole = true;
  for (const frame of frames) {
    const chained = frame.saltsMatch && frame.follows(before?.stored ?? start);
    if (!whole && chained && before?.isCommit === true && before.saltsMatch) return true;
    // The frame behind a broken one may fit its stored checksum, and is beyond what SQLite reads all the same.
    whole &&= chained;
    before = frame;
  }
  return false;
}

function* framesOf(
  file: number,
  { pageBytes, little, salts }: { pageBytes: number; little: boolean; salts: Buffer },
): Iterable<Frame> {
  const size = FRAME_HEADER_BYTES + pageBytes;
  for (let offset = HEADER_BYTES; ; offset += size) {
    const bytes = readAt(file, offset, size);
    if (bytes === undefined) return;
    const saltsMatch = bytes.subarray(8, 16).equals(salts);
    const stored = sumsAt(bytes, 16);
    const follows = (before: Sums) => {
      const head = addUp(before, bytes.subarray(0, 8), little);
      return same(addUp(head, bytes.subarray(FRAME_HEADER_BYTES), little), stored);
    };
    yield { saltsMatch, isCommit: bytes.readUInt32BE(4) !== 0, stored, follows };
  }
}

function addUp([first, second]: Sums, bytes: Buffer, little: boolean): Sums {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + view.getUint32(at, little) + second) >>> 0;
    second = (second + view.getUint32(at + 4, little) + first) >>> 0;
  }
  return [first, second];
}

function sumsAt(bytes: Buffer, offset: number): Sums {
  return [bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4)];
}

function same(left: Sums, right: Sums): boolean {
  return left[0] === right[0] && left[1] === right[1];
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function readAt(file: number, offset: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  return readSync(file, bytes, 0, length, offset) === length ? bytes : undefined;
}

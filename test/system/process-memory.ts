import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** How often each of these is in the memory of a process that it may write: what it was told, and what it made of it. */
export function countInMemory(pid: number, needles: Readonly<Record<string, Buffer>>): Record<string, number> {
  const longest = Math.max(...Object.values(needles).map(({ length }) => length));
  const counts = Object.fromEntries(Object.keys(needles).map((name) => [name, 0]));
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const chunk = Buffer.alloc(CHUNK_BYTES + longest);
  try {
    for (const { from, to } of writableRegions(pid))
      for (let at = from; at < to; at += CHUNK_BYTES) {
        // What begins in this chunk counts here, though it may end in the next.
        const length = readAt(memory, chunk, at, Math.min(CHUNK_BYTES + longest - 1, to - at));
        for (const [name, needle] of Object.entries(needles))
          counts[name] = (counts[name] ?? 0) + occurrences(chunk.subarray(0, length), needle);
      }
  } finally {
    closeSync(memory);
    chunk.fill(0);
  }
  return counts;
}

function occurrences(bytes: Buffer, needle: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(needle); at >= 0 && at < CHUNK_BYTES; at = bytes.indexOf(needle, at + 1)) count += 1;
  return count;
}

function writableRegions(pid: number): { from: number; to: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return lines.flatMap((line) => {
    const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    return from === "" ? [] : [{ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }];
  });
}

/** 0 for a region that went away meanwhile. */
function readAt(file: number, into: Buffer, position: number, length: number): number {
  try {
    return readSync(file, into, 0, length, position);
  } catch {
    return 0;
  }
}

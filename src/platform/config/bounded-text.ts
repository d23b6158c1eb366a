import { closeSync, openSync, readSync } from "node:fs";

export type BoundedText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * A whole file as UTF-8. It is read to its end, not by its size, so that pipes (`<(command)`) work too; more than
 * `maxBytes`, or bytes that are not UTF-8, are `unreadable`, with a reason that follows the words "the file".
 */
export function readBoundedText(path: string, maxBytes: number): BoundedText {
  let bytes: Buffer;
  try {
    bytes = readUpTo(path, maxBytes + 1);
  } catch (error) {
    const code = systemErrorCode(error);
    return code === "ENOENT"
      ? { kind: "missing" }
      : { kind: "unreadable", reason: `cannot be read (${code})` };
  }
  if (bytes.length > maxBytes) return { kind: "unreadable", reason: `is larger than ${maxBytes} bytes` };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { kind: "unreadable", reason: "is not UTF-8" };
  }
}

/** The code of a system error (`ENOENT`), or `unknown`. */
export function systemErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

function readUpTo(path: string, limit: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < limit; ) {
      const chunk = Buffer.alloc(Math.min(65536, limit - total));
      const length = readSync(descriptor, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      total += length;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

import { isUtf8 } from "node:buffer";
import { AppError } from "#platform/lib/error.ts";
import { JsonScanner } from "./json-scanner.ts";

/** Byte offsets into a body, end exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What the gateway reads of a request body; everything else passes as bytes. */
export interface JsonBody {
  /** Undefined when the body names no model. */
  readonly model: string | undefined;
  /** True only when `stream` is `true`; absent, `null` and `false` are false. */
  readonly stream: boolean;
  /** Where the value of `model` stands, quotes included. */
  readonly modelRange: ByteRange | undefined;
}

type Member = "model" | "stream";

/**
 * Reads a JSON object strictly in one linear pass and finds its `model` and `stream`, escaped keys included.
 * Throws AppError `bad_request` for invalid JSON (with the byte offset) or UTF-8, a root that is no object, depth
 * over `maxDepth`, a wrong type of the two, and either given twice: parsers disagree on which one counts.
 */
export function readJsonBody(bytes: Buffer, limits: { maxDepth: number }): JsonBody {
  if (!isUtf8(bytes)) throw new AppError("bad_request", "The body is not valid UTF-8.");
  const found = new Map<Member, ByteRange>();
  const onMember = (keyStart: number, keyEnd: number, start: number, end: number) => {
    const name = memberNamed(bytes, keyStart, keyEnd);
    if (name === undefined) return;
    if (found.has(name)) throw new AppError("bad_request", `The body has "${name}" twice.`);
    found.set(name, { start, end });
  };
  new JsonScanner(bytes, limits.maxDepth, onMember).scan();
  const modelRange = found.get("model");
  return { model: readModel(bytes, modelRange), stream: readStream(bytes, found.get("stream")), modelRange };
}

/** The body with another model name: only the bytes of `range` differ. */
export function replaceModel(bytes: Buffer, range: ByteRange, name: string): Buffer {
  return Buffer.concat([
    bytes.subarray(0, range.start),
    Buffer.from(JSON.stringify(name)),
    bytes.subarray(range.end),
  ]);
}

/** Longest spelling of a looked-for key: six letters as six-byte escapes, and two quotes. */
const LONGEST_KEY_BYTES = 38;
const POSSIBLE_FIRST_BYTES = new Set(Buffer.from("ms\\"));

function memberNamed(bytes: Buffer, keyStart: number, keyEnd: number): Member | undefined {
  const first = bytes[keyStart + 1];
  // Most keys end here, so that a body of millions of keys costs no string each.
  if (first === undefined || !POSSIBLE_FIRST_BYTES.has(first)) return undefined;
  if (keyEnd - keyStart > LONGEST_KEY_BYTES) return undefined;
  const key = parseRange(bytes, { start: keyStart, end: keyEnd });
  return key === "model" || key === "stream" ? key : undefined;
}

function readModel(bytes: Buffer, range: ByteRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  // Judged before it is parsed: the value may be as large as the body.
  if (bytes[range.start] !== 0x22) throw new AppError("bad_request", '"model" must be a string.');
  const model = parseRange(bytes, range);
  return typeof model === "string" ? model : undefined;
}

function readStream(bytes: Buffer, range: ByteRange | undefined): boolean {
  if (range === undefined) return false;
  const text = bytes.toString("latin1", range.start, Math.min(range.end, range.start + 6));
  if (text !== "true" && text !== "false" && text !== "null") {
    throw new AppError("bad_request", '"stream" must be true or false.');
  }
  return text === "true";
}

function parseRange(bytes: Buffer, range: ByteRange): unknown {
  return JSON.parse(bytes.toString("utf8", range.start, range.end));
}

import { isUtf8 } from "node:buffer";
import { AppError } from "#platform/lib/error.ts";
import { countIn } from "./count.ts";
import { JsonScanner } from "./json-scanner.ts";
import type { RequestBody } from "./request-body.ts";

/** Byte offsets, end exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

type Member = "model" | "stream" | "n";

/**
 * Reads a JSON object strictly in one linear pass and finds its `model`, `stream` and `n`, escaped keys included.
 * Throws AppError `bad_request` for invalid JSON (with the byte offset) or UTF-8, a root that is no object, depth
 * over `maxDepth`, a wrong type of the first two, and either of them given twice or `model` in another case: parsers disagree on
 * which one counts, and a model that was authorised must be the one that is used.
 */
export function readJsonBody(bytes: Buffer, limits: { maxDepth: number }): RequestBody {
  if (!isUtf8(bytes)) throw new AppError("bad_request", "The body is not valid UTF-8.");
  const found: Partial<Record<Exclude<Member, "n">, ByteRange>> = {};
  let choices = 1;
  const onMember = (keyStart: number, keyEnd: number, start: number, end: number) => {
    const name = memberNamed(bytes, keyStart, keyEnd);
    if (name === undefined) return;
    // Readers disagree which of two counts: with the larger no stream is taken for whole too early.
    if (name === "n") choices = Math.max(choices, readCount(bytes, { start, end }));
    else if (found[name] !== undefined) throw new AppError("bad_request", `The body has "${name}" twice.`);
    else found[name] = { start, end };
  };
  new JsonScanner(bytes, limits.maxDepth, onMember).scan();
  const modelRange = found.model;
  return {
    bytes,
    model: readModel(bytes, modelRange),
    stream: readStream(bytes, found.stream),
    choices,
    withModel: (name) => (modelRange === undefined ? bytes : replaceModel(bytes, modelRange, name)),
  };
}

function replaceModel(bytes: Buffer, range: ByteRange, name: string): Buffer {
  const text = JSON.stringify(name);
  const end = range.start + Buffer.byteLength(text);
  const replaced = Buffer.allocUnsafe(end + bytes.length - range.end);
  bytes.copy(replaced, 0, 0, range.start);
  replaced.write(text, range.start);
  bytes.copy(replaced, end, range.end);
  return replaced;
}

/** Longest spelling of a looked-for key: six letters as six-byte escapes, and two quotes. */
const LONGEST_KEY_BYTES = 38;
const POSSIBLE_FIRST_BYTES = new Set(Buffer.from("mMsn\\"));
/** A model's name is short; a value as large as the body is not made into a string. */
const LONGEST_MODEL_BYTES = 4096;
const LONGEST_COUNT_BYTES = 16;

function memberNamed(bytes: Buffer, keyStart: number, keyEnd: number): Member | undefined {
  const first = bytes[keyStart + 1];
  // Most keys end here, so that a body of millions of keys costs no string each.
  if (first === undefined || !POSSIBLE_FIRST_BYTES.has(first)) return undefined;
  if (keyEnd - keyStart > LONGEST_KEY_BYTES) return undefined;
  const key = stringAt(bytes, { start: keyStart, end: keyEnd });
  if (key === "model" || key === "stream" || key === "n") return key;
  // Some readers match names in any case and take the last: it would be a model nobody authorised.
  if (key.toLowerCase() === "model")
    throw new AppError("bad_request", '"model" must be written in lower case.');
  return undefined;
}

function readModel(bytes: Buffer, range: ByteRange | undefined): string | undefined {
  if (range === undefined) return undefined;
  // Judged before it is parsed: the value may be as large as the body.
  if (bytes[range.start] !== 0x22) throw new AppError("bad_request", '"model" must be a string.');
  if (range.end - range.start > LONGEST_MODEL_BYTES)
    throw new AppError("bad_request", '"model" is too long.');
  return stringAt(bytes, range);
}

function readStream(bytes: Buffer, range: ByteRange | undefined): boolean {
  if (range === undefined) return false;
  const text = bytes.toString("latin1", range.start, Math.min(range.end, range.start + 6));
  if (text !== "true" && text !== "false" && text !== "null") {
    throw new AppError("bad_request", '"stream" must be true or false.');
  }
  return text === "true";
}

/** Of a number of choices; what is none is the upstream's to refuse. */
function readCount(bytes: Buffer, range: ByteRange): number {
  return range.end - range.start > LONGEST_COUNT_BYTES
    ? 1
    : countIn(bytes.toString("latin1", range.start, range.end));
}

/** What a JSON string says, which was read before and found to be one; most have no escape. */
function stringAt(bytes: Buffer, { start, end }: ByteRange): string {
  const text = bytes.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

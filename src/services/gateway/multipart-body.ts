import { AppError } from "#platform/lib/error.ts";
import { countIn } from "./count.ts";
import type { RequestBody } from "./request-body.ts";

interface Part {
  readonly name: string;
  readonly isFile: boolean;
  /** Byte offsets of the content, end exclusive. */
  readonly start: number;
  readonly end: number;
}

const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const LONGEST_HEAD_BYTES = 8 * 1024;
const MAX_PARTS = 1000;
/** RFC 2046, 5.1.1. */
const BOUNDARY = /;\s*boundary=(?:"([^"\\\r\n]{1,70})"|([0-9A-Za-z'()+_,./:=?-]{1,70}))\s*(?=;|$)/gi;
/** RFC 7578, 4.2, with the quoting that browsers and the usual libraries write. */
const DISPOSITION = /^form-data((?:\s*;\s*[A-Za-z*]+=(?:"(?:[^"\\\r\n]|\\.)*"|[^\s;",\\]+))*)\s*$/i;
const PARAMETER = /;\s*([A-Za-z*]+)=(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s;",\\]+))/g;

/**
 * Reads a form strictly, so that no upstream can read another model out of it than was authorised: a form that
 * different readers could take differently (a preamble, `model` twice or in another case, unusual headers on it) is
 * AppError `bad_request`. Files pass unread.
 */
export function readMultipartBody(bytes: Buffer, contentType: string): RequestBody {
  const parts = [...partsOf(bytes, boundaryOf(contentType))];
  const model = only(parts, "model");
  const stream = only(parts, "stream");
  return {
    bytes,
    model: model && textOf(bytes, model),
    stream: stream !== undefined && textOf(bytes, stream) === "true",
    choices: countOf(bytes, parts),
    withModel: (name) => {
      const { start, end } = model ?? { start: 0, end: 0 };
      return Buffer.concat([bytes.subarray(0, start), Buffer.from(name), bytes.subarray(end)]);
    },
  };
}

function boundaryOf(contentType: string): string {
  const found = [...contentType.matchAll(BOUNDARY)];
  const boundary = found[0]?.[1] ?? found[0]?.[2];
  if (found.length !== 1 || boundary === undefined || contentType.match(/boundary/gi)?.length !== 1)
    throw new AppError("bad_request", "The content type needs one boundary.");
  return boundary;
}

function* partsOf(bytes: Buffer, boundary: string): Generator<Part> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  if (bytes.indexOf(delimiter.subarray(2)) !== 0) fault("does not begin with its boundary");
  let at = delimiter.length - 2;
  for (let count = 0; ; count += 1) {
    if (isClosing(bytes, at)) return;
    if (count >= MAX_PARTS) fault(`has more than ${MAX_PARTS} parts`);
    if (bytes.compare(CRLF, 0, 2, at, at + 2) !== 0) fault("has a boundary line with something after it");
    const headEnd = bytes.indexOf(HEAD_END, at);
    if (headEnd === -1 || headEnd - at > LONGEST_HEAD_BYTES) fault("has a part without a proper head");
    const start = headEnd + HEAD_END.length;
    // The line end before an empty part's boundary is the one that ends its head.
    const end = bytes.indexOf(delimiter, start - 2);
    if (end === -1) fault("ends inside a part");
    yield { ...readHead(bytes.toString("utf8", at + 2, headEnd)), start, end: Math.max(start, end) };
    at = end + delimiter.length;
  }
}

function isClosing(bytes: Buffer, at: number): boolean {
  if (bytes.toString("latin1", at, at + 2) !== "--") return false;
  const epilogue = bytes.toString("latin1", at + 2, at + 5);
  if (epilogue !== "" && epilogue !== "\r\n") fault("goes on after its last boundary");
  return true;
}

function readHead(head: string): { name: string; isFile: boolean } {
  const lines = head.split("\r\n").map((line) => /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line));
  const headers = new Map(lines.map((line) => [line?.[1]?.toLowerCase() ?? "", line?.[2] ?? ""]));
  const disposition = DISPOSITION.exec(headers.get("content-disposition") ?? "");
  if (headers.size !== lines.length || headers.has("") || disposition === null)
    fault("has a part whose head cannot be read");
  const parameters = [...(disposition[1] ?? "").matchAll(PARAMETER)].map(
    ([, name = "", quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? ""] as const,
  );
  const byName = new Map(parameters);
  const name = byName.get("name");
  if (byName.size !== parameters.length || name === undefined || byName.has("name*") || name.includes("\\"))
    fault("has a part without one plain name");
  const isPlain = [...headers.keys()].every((key) => key === "content-disposition" || key === "content-type");
  if (!isPlain && isRead(name)) fault(`has unusual headers on "${name}"`);
  return { name, isFile: byName.has("filename") || byName.has("filename*") };
}

function isRead(name: string): boolean {
  return /^(model|stream)$/i.test(name);
}

function only(parts: readonly Part[], name: string): Part | undefined {
  const like = parts.filter((part) => part.name.trim().toLowerCase() === name);
  if (like.length > 1) throw new AppError("bad_request", `The body has "${name}" twice.`);
  const [part] = like;
  if (part !== undefined && (part.name !== name || part.isFile))
    throw new AppError("bad_request", `"${name}" must be a plain field of that very name.`);
  return part;
}

/** The largest where several say how many: with it no stream is taken for whole too early. */
function countOf(bytes: Buffer, parts: readonly Part[]): number {
  return parts
    .filter((part) => part.name === "n" && !part.isFile)
    .reduce((most, part) => Math.max(most, countIn(textOf(bytes, part))), 1);
}

function textOf(bytes: Buffer, part: Part): string {
  return bytes.toString("utf8", part.start, Math.min(part.end, part.start + 4096));
}

function fault(what: string): never {
  throw new AppError("bad_request", `The form ${what}.`);
}

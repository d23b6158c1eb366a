import { type BytesFinder, bytesFinder } from "#platform/lib/bytes-finder.ts";
import type { Secret } from "#platform/lib/secret.ts";

/** What stands where a secret stood. */
const MARK = "[redacted]";
const MARK_BYTES = Buffer.from(MARK);
const NOTHING: Buffer = Buffer.alloc(0);
/** Shorter credentials are placeholders such as `none`; replacing them would tear ordinary words and JSON apart. */
const SHORTEST_IN_ERRORS = 6;
/** In answers that succeeded only what cannot be an ordinary word is looked for. */
const SHORTEST_IN_ANSWERS = 16;

/** Takes known secrets out of what an upstream sends back. */
export interface Redactor {
  /** Of an answer that succeeded: as it is and as JSON escapes it. The same buffer when no secret is in it. */
  bytes(buffer: Buffer): Buffer;
  /** Of a whole error answer: also URL-coded, hex and base64. */
  error(buffer: Buffer): Buffer;
  /** A header value as Node gives it, one latin1 character a byte; every spelling as in `error`. */
  header(value: string): string;
  /** Like `bytes`, for one body that comes in chunks cut anywhere. */
  stream(): StreamRedactor;
  /**
   * For one body whose length must not change: a star for every byte of a secret. Of an `error` every spelling, of an
   * `answer` that succeeded as in `bytes`.
   */
  masked(body: "answer" | "error"): StreamRedactor;
  /** Whether there is anything to look for. */
  readonly knowsAny: boolean;
}

export interface StreamRedactor {
  /** What may go out now; a tail that may begin a secret waits for the next chunk. */
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** A spelling of a secret, ready to be looked for. */
interface Needle {
  readonly bytes: Buffer;
  readonly find: BytesFinder;
}

const NO_SECRET = createRedactor([]);
/** Made once a credential; gone with it when the server is locked. */
const redactors = new WeakMap<Secret, Redactor>();

/** What takes this credential out of answers. */
export function redactorFor(credential: Secret | undefined): Redactor {
  if (credential === undefined) return NO_SECRET;
  const known = redactors.get(credential) ?? createRedactor([Buffer.from(credential.expose())]);
  redactors.set(credential, known);
  return known;
}

/** Makes a redactor for these secrets. Longer spellings go first, so that one which begins another leaves no rest. */
export function createRedactor(secrets: readonly Buffer[]): Redactor {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_IN_ANSWERS);
  const inAnswers = needlesOf(long.flatMap((secret) => [secret, jsonSpelling(secret)]));
  const known = secrets.filter((secret) => secret.length >= SHORTEST_IN_ERRORS);
  const inErrors = needlesOf(known.flatMap(spellings));
  const inHeaders = inErrors.map(({ bytes }) => bytes.toString("latin1"));
  const shortest = Math.min(...inHeaders.map((needle) => needle.length));
  const replaceIn = (needles: readonly Needle[]) => (buffer: Buffer) => needles.reduce(replaceBytes, buffer);
  return {
    bytes: replaceIn(inAnswers),
    error: replaceIn(inErrors),
    // Most headers are shorter than any spelling of a credential, and there are a dozen spellings.
    header: (value) => (value.length < shortest ? value : inHeaders.reduce(replaceText, value)),
    stream: () => new BodyRedactor(inAnswers, replaceBytes),
    masked: (body) => new BodyRedactor(body === "error" ? inErrors : inAnswers, maskBytes),
    knowsAny: secrets.length > 0,
  };
}

class BodyRedactor implements StreamRedactor {
  readonly #needles: readonly Needle[];
  readonly #replace: typeof replaceBytes;
  #tail = NOTHING;

  constructor(needles: readonly Needle[], replace: typeof replaceBytes) {
    this.#needles = needles;
    this.#replace = replace;
  }

  push(chunk: Buffer): Buffer {
    let clean = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    for (const needle of this.#needles) clean = this.#replace(clean, needle);
    let keep = 0;
    for (const needle of this.#needles) keep = Math.max(keep, beginningAtEnd(clean, needle.bytes));
    // Mostly nothing is held back.
    if (keep === 0) {
      this.#tail = NOTHING;
      return clean;
    }
    this.#tail = clean.subarray(clean.length - keep);
    return clean.subarray(0, clean.length - keep);
  }

  end(): Buffer {
    const rest = this.#tail;
    this.#tail = NOTHING;
    return rest;
  }
}

/** How many bytes at the end of `buffer` are the beginning of `needle`. */
function beginningAtEnd(buffer: Buffer, needle: Buffer): number {
  const first = needle[0] ?? 0;
  const from = Math.max(0, buffer.length - needle.length + 1);
  for (let at = buffer.indexOf(first, from); at !== -1; at = buffer.indexOf(first, at + 1)) {
    const length = buffer.length - at;
    if (buffer.compare(needle, 0, length, at) === 0) return length;
  }
  return 0;
}

function needlesOf(texts: readonly Buffer[]): Needle[] {
  const unique = new Map(texts.map((text) => [text.toString("latin1"), text]));
  return [...unique.values()]
    .filter((text) => text.length > 0)
    .sort((left, right) => right.length - left.length)
    .map((bytes) => ({ bytes, find: bytesFinder(bytes) }));
}

function spellings(secret: Buffer): Buffer[] {
  const hex = secret.toString("hex");
  const url = encodeURIComponent(secret.toString());
  const lower = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const texts = [hex, hex.toUpperCase(), url, lower, ...base64Spellings(secret)];
  return [secret, jsonSpelling(secret), ...texts.map((text) => Buffer.from(text))];
}

/** The part of the base64 text that is the same whatever stands before and after, at each of the three alignments. */
function base64Spellings(secret: Buffer): string[] {
  return [0, 1, 2].flatMap((lead) => {
    const padded = Buffer.concat([Buffer.alloc(lead), secret]);
    const from = Math.ceil((lead * 8) / 6);
    const to = Math.floor((padded.length * 8) / 6);
    return (["base64", "base64url"] as const).map((coding) => padded.toString(coding).slice(from, to));
  });
}

function jsonSpelling(secret: Buffer): Buffer {
  return Buffer.from(JSON.stringify(secret.toString()).slice(1, -1));
}

function maskBytes(buffer: Buffer, needle: Needle): Buffer {
  return replaceWith(buffer, needle, Buffer.alloc(needle.bytes.length, "*"));
}

function replaceBytes(buffer: Buffer, needle: Needle): Buffer {
  return replaceWith(buffer, needle, MARK_BYTES);
}

/** Looked for first: replacing costs many times as much, also where there is nothing to replace. */
function replaceText(text: string, needle: string): string {
  return text.includes(needle) ? text.replaceAll(needle, MARK) : text;
}

function replaceWith(buffer: Buffer, { bytes, find }: Needle, mark: Buffer): Buffer {
  let found = find(buffer);
  if (found === -1) return buffer;
  const parts: Buffer[] = [];
  let from = 0;
  while (found !== -1) {
    parts.push(buffer.subarray(from, found), mark);
    from = found + bytes.length;
    found = find(buffer, from);
  }
  parts.push(buffer.subarray(from));
  return Buffer.concat(parts);
}

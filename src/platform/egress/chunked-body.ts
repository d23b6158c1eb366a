import { badAnswer } from "./answer-head.ts";

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** 2^52 bytes: as much as a number holds exactly. */
const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 4 * 1024;
const MAX_TRAILER_BYTES = 32 * 1024;
/** As of a head: no folded line, no control character. */
const TRAILER = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9112, 7.1.1, behind the first semicolon. */
const TOKEN = "[!#$%&'*+\\-.^_`|~\\dA-Za-z]+";
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const EXTENSION = `${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?`;
const EXTENSIONS = new RegExp(`^${EXTENSION}(?:;${EXTENSION})*$`);

type Place = "size" | "extension" | "size-end" | "data" | "data-cr" | "data-lf" | "trailer" | "trailer-end";

/** Data of a body, from `start` to `dataEnd`. */
interface Taken {
  readonly start: number;
  readonly dataEnd: number;
  readonly end: number;
}

/**
 * Takes the chunks of one body apart (RFC 9112, 7.1), strictly and however they are cut. Extensions and trailers are
 * read and dropped. Every line end is CR LF.
 */
export class ChunkedBody {
  #place: Place = "size";
  /** Of the chunk: as far as its digits were read, then the bytes of it that are to come. */
  #size = 0;
  #digits = 0;
  /** What was read of an extension or a trailer. */
  #line = "";
  #trailerBytes = 0;
  #over = false;

  /** Whether the end of the body was read. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Moves the data in `bytes` from `from` on together, to where its first piece is. Gives where it is now, and where the
   * reading ended, which is before the end of `bytes` only when the body is over. Throws AppError.
   */
  take(bytes: Buffer, from: number): Taken {
    let start = from;
    let data = from;
    let at = from;
    while (at < bytes.length && !this.#over) {
      if (this.#place !== "data") {
        this.#step(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const length = Math.min(this.#size, bytes.length - at);
      if (data === start) {
        start = at;
        data = at;
      } else bytes.copyWithin(data, at, at + length);
      data += length;
      at += length;
      this.#size -= length;
      if (this.#size === 0) this.#place = "data-cr";
    }
    return { start, dataEnd: data, end: at };
  }

  #step(byte: number): void {
    switch (this.#place) {
      case "size":
        return this.#sizeByte(byte);
      case "extension":
        return this.#extensionByte(byte);
      case "size-end":
        return this.#sizeEnd(byte);
      case "data-cr":
        return this.#expect(byte === CR, "data-lf");
      case "data-lf":
        this.#size = 0;
        this.#digits = 0;
        return this.#expect(byte === LF, "size");
      case "trailer":
        return this.#trailerByte(byte);
      default:
        return this.#trailerEnd(byte);
    }
  }

  #expect(right: boolean, next: Place): void {
    if (!right) throw badAnswer("chunk");
    this.#place = next;
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#size = this.#size * 16 + digit;
      if (this.#digits > MAX_SIZE_DIGITS) throw badAnswer("chunk size");
    } else {
      if (this.#digits === 0) throw badAnswer("chunk size");
      this.#expect(byte === CR || byte === SEMICOLON, byte === CR ? "size-end" : "extension");
    }
  }

  #extensionByte(byte: number): void {
    if (byte !== CR) {
      this.#line += String.fromCharCode(byte);
      if (this.#line.length > MAX_EXTENSION_BYTES) throw badAnswer("chunk extension");
      return;
    }
    if (!EXTENSIONS.test(this.#line)) throw badAnswer("chunk extension");
    this.#line = "";
    this.#place = "size-end";
  }

  #sizeEnd(byte: number): void {
    this.#expect(byte === LF, this.#size === 0 ? "trailer" : "data");
  }

  #trailerByte(byte: number): void {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) throw badAnswer("trailers");
    if (byte === CR) this.#place = "trailer-end";
    else this.#line += String.fromCharCode(byte);
  }

  #trailerEnd(byte: number): void {
    this.#expect(byte === LF, "trailer");
    if (this.#line === "") this.#over = true;
    else if (!TRAILER.test(this.#line)) throw badAnswer("trailers");
    this.#line = "";
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

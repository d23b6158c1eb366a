import type { Socket } from "node:net";
import type { ClientResponse } from "#platform/http/client-request.ts";

const CR = 0x0d;
const LF = 0x0a;
const DIGITS = Buffer.from("0123456789abcdef");
/** The last chunk, and no trailers. */
const LAST = Buffer.from("0\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/**
 * Puts the pieces of a body into chunks (RFC 9112, 7.1), each in one piece of memory and so in one write: Node makes
 * four of it, which is most of what a short piece of a stream costs.
 */
export class ChunkFraming {
  #ours = false;
  #response: ClientResponse | undefined;

  /** From here on in Node's place, when the head of `response` was made and says that its body is chunked. */
  takeOver(response: ClientResponse): void {
    this.#ours = response.chunkedEncoding;
    response.chunkedEncoding = false;
    this.#response = response;
  }

  /**
   * Where framed pieces may be written without Node's response between, which holds each back to the end of the tick and
   * so costs a tenth of a short piece. Only when the response's first piece was written; undefined while an earlier answer
   * is on the connection.
   */
  get connection(): Socket | undefined {
    return this.#ours ? (this.#response?.socket ?? undefined) : undefined;
  }

  /** What to write for these bytes, of which there must be some. */
  piece(bytes: Buffer): Buffer {
    return this.#ours ? framed(bytes, NOTHING) : bytes;
  }

  /** What to end the body with. */
  last(bytes: Buffer): Buffer {
    if (!this.#ours) return bytes;
    return bytes.length === 0 ? LAST : framed(bytes, LAST);
  }
}

/** By hand: each of the short texts would cost a call out of JavaScript. */
function framed(bytes: Buffer, after: Buffer): Buffer {
  let digits = 1;
  for (let rest = bytes.length >>> 4; rest > 0; rest >>>= 4) digits += 1;
  const start = digits + 2;
  const end = start + bytes.length;
  const piece = Buffer.allocUnsafe(end + 2 + after.length);
  for (let at = digits - 1, rest = bytes.length; at >= 0; at -= 1, rest >>>= 4)
    piece[at] = DIGITS[rest & 0xf] ?? 0;
  piece[digits] = CR;
  piece[digits + 1] = LF;
  piece.set(bytes, start);
  piece[end] = CR;
  piece[end + 1] = LF;
  if (after.length > 0) piece.set(after, end + 2);
  return piece;
}

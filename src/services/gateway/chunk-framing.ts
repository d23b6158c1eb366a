import type { ServerResponse } from "node:http";

const LINE_END = "\r\n";
/** The last chunk, and no trailers. */
const LAST = "0\r\n\r\n";

/**
 * Puts the pieces of a body into chunks (RFC 9112, 7.1), each in one piece of memory and so in one write: Node makes
 * four of it, which is most of what a short piece of a stream costs.
 */
export class ChunkFraming {
  #ours = false;

  /** From here on in Node's place, when the head of `response` was made and says that its body is chunked. */
  takeOver(response: ServerResponse): void {
    this.#ours = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** What to write for these bytes, of which there must be some. */
  piece(bytes: Buffer): Buffer {
    return this.#ours ? framed(bytes, LINE_END) : bytes;
  }

  /** What to end the body with. */
  last(bytes: Buffer): Buffer {
    if (!this.#ours) return bytes;
    return bytes.length === 0 ? Buffer.from(LAST) : framed(bytes, LINE_END + LAST);
  }
}

function framed(bytes: Buffer, after: string): Buffer {
  const before = bytes.length.toString(16) + LINE_END;
  const end = before.length + bytes.length;
  const piece = Buffer.allocUnsafe(end + after.length);
  piece.write(before, 0, "latin1");
  bytes.copy(piece, before.length);
  piece.write(after, end, "latin1");
  return piece;
}

import { sha256 } from "#platform/lib/hmac.ts";

/** The version of the exchange that this program speaks. */
export const JOIN_VERSION = 1;

/** Everything the two sides of a join said and saw, as the texts that were sent. */
interface Transcript {
  readonly clusterId: string;
  readonly runId: string;
  /** What the joiner saw as the member's TLS public key: SHA-256 of its SPKI, base64url. */
  readonly tlsKey: string;
  /** The joiner's own public key (SPKI, DER), base64url. */
  readonly nodeKey: string;
  readonly request: string;
  readonly response: string;
  readonly finish: string;
  /** What the joiner says of itself as a node. */
  readonly node: string;
}

const NAME = "claviger cluster join";

/**
 * SHA-256 over the name and version of the exchange and every field, each with its length before it (4 bytes,
 * big-endian), so that no two transcripts encode alike.
 */
export function transcriptHash(said: Transcript): Buffer {
  const { clusterId, runId, tlsKey, nodeKey, request, response, finish, node } = said;
  const heard = [clusterId, runId, tlsKey, nodeKey, request, response, finish, node];
  return sha256(Buffer.concat([NAME, `${JOIN_VERSION}`, ...heard].flatMap(withLength)));
}

/** The number of bytes of a text (4 bytes, big-endian), then those bytes. */
export function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

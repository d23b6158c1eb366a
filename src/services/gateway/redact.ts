/** What stands where a secret stood. */
const MARK = "[redacted]";

/** Takes known secrets out of what an upstream sends back. */
export interface Redactor {
  /** The same buffer when no secret is in it. */
  bytes(buffer: Buffer): Buffer;
  /** A header value as Node gives it: one latin1 character a byte. */
  header(value: string): string;
}

/**
 * Makes a redactor for these secrets, each also as JSON would escape it. Longer ones go first, so that a secret
 * which begins another leaves no rest; empty ones are ignored. A secret split over two buffers is not seen:
 * hand in whole events or whole bodies.
 */
export function createRedactor(secrets: readonly Buffer[]): Redactor {
  const spellings = secrets.flatMap((secret) => [secret, jsonSpelling(secret)]);
  const needles = spellings
    .filter((needle) => needle.length > 0)
    .sort((left, right) => right.length - left.length)
    .map((bytes) => ({ bytes, latin1: bytes.toString("latin1") }));
  return {
    bytes: (buffer) => needles.reduce((rest, needle) => replaceBytes(rest, needle.bytes), buffer),
    header: (value) => needles.reduce((rest, needle) => rest.replaceAll(needle.latin1, MARK), value),
  };
}

function jsonSpelling(secret: Buffer): Buffer {
  return Buffer.from(JSON.stringify(secret.toString()).slice(1, -1));
}

function replaceBytes(buffer: Buffer, needle: Buffer): Buffer {
  let found = buffer.indexOf(needle);
  if (found === -1) return buffer;
  const parts: Buffer[] = [];
  let from = 0;
  while (found !== -1) {
    parts.push(buffer.subarray(from, found), Buffer.from(MARK));
    from = found + needle.length;
    found = buffer.indexOf(needle, from);
  }
  parts.push(buffer.subarray(from));
  return Buffer.concat(parts);
}

/** Messages of DNS byte by byte (RFC 1035, 4.1), as no library would write them. */

export const SERVICE = "_claviger._tcp.local";
const CLASS_IN = 1;
const TYPES = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, ANY: 255 } as const;

/** A message: counts as given, else those of what it holds. */
export function message({
  isAnswer = false,
  questions = [],
  answers = [],
  counts,
}: {
  readonly isAnswer?: boolean;
  readonly questions?: readonly Buffer[];
  readonly answers?: readonly Buffer[];
  readonly counts?: readonly [number, number];
}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(isAnswer ? 0x8400 : 0, 2);
  const [asked, answered] = counts ?? [questions.length, answers.length];
  head.writeUInt16BE(asked, 4);
  head.writeUInt16BE(answered, 6);
  return Buffer.concat([head, ...questions, ...answers]);
}

/** A name of these labels, whatever is in them; ends with `end`, the root unless said. */
export function nameOf(labels: readonly (string | Buffer)[], end = Buffer.alloc(1)): Buffer {
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  return Buffer.concat([...parts, end]);
}

/** A pointer to another place of the message. */
export function pointerTo(offset: number): Buffer {
  return Buffer.from([0xc0 | (offset >> 8), offset & 0xff]);
}

export function question(type: keyof typeof TYPES, name = nameOf(SERVICE.split("."))): Buffer {
  return Buffer.concat([name, shorts(TYPES[type], CLASS_IN)]);
}

export function record(type: keyof typeof TYPES, name: Buffer, data: Buffer, ttl = 120): Buffer {
  return Buffer.concat([name, shorts(TYPES[type], CLASS_IN, 0, ttl, data.length), data]);
}

/** A member that says it is there: SRV and A. */
export function member(instance: string | Buffer, host: string, address: string, port = 8442): Buffer[] {
  const target = nameOf(host.split("."));
  const name = nameOf([instance, ...SERVICE.split(".")]);
  return [
    record("SRV", name, Buffer.concat([shorts(0, 0, port), target])),
    record("A", target, Buffer.from(address.split(".").map(Number))),
  ];
}

function shorts(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2);
  numbers.forEach((number, at) => {
    bytes.writeUInt16BE(number, at * 2);
  });
  return bytes;
}

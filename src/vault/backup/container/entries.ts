import type { ByteReader } from "./byte-reader.ts";
import { damaged } from "./problem.ts";

/** One file in a backup. */
export interface BackupEntry {
  readonly name: EntryName;
  /** Bytes of content. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
}

declare const nameBrand: unique symbol;

/** A path below the data directory, of those that a backup may hold. */
export type EntryName = string & { readonly [nameBrand]: true };

const FIXED = [
  "db/data.sqlite",
  "secrets/machine.key",
  "secrets/api_key_secret",
  "etc/claviger.yaml",
  "etc/version",
];
const CONFIG_FILE = /^etc\/(?:certs|credentials)\/[A-Za-z0-9._-]{1,128}$/;
const NAME_BYTES_MAX = 256;

export const STORE_ENTRY = entryName("db/data.sqlite");
export const MACHINE_KEY_ENTRY = entryName("secrets/machine.key");
export const API_KEY_SECRET_ENTRY = entryName("secrets/api_key_secret");

/** `text` as a name; throws BackupProblem for any that a backup does not hold, `../` and absolute paths among them. */
export function entryName(text: string): EntryName {
  if (isEntryName(text)) return text;
  throw damaged("the name of a file in it");
}

function isEntryName(text: string): text is EntryName {
  return FIXED.includes(text) || (CONFIG_FILE.test(text) && !/\/\.{1,2}$/.test(text));
}

/** The entries one behind the other: length of the name, name, size, content. */
export async function* encodeEntries(entries: Iterable<BackupEntry>): AsyncGenerator<Uint8Array> {
  for (const { name, size, content } of entries) {
    const utf8 = Buffer.from(name, "utf8");
    const head = Buffer.alloc(2 + utf8.length + 8);
    head.writeUInt16BE(utf8.length);
    utf8.copy(head, 2);
    head.writeBigUInt64BE(BigInt(size), 2 + utf8.length);
    yield head;
    yield* exactly(content, { name, size });
  }
}

/**
 * The entries again, in their order; the content of one is read to its end before the next. Throws BackupProblem for
 * one that is no entry, is there twice or lacks some of its bytes.
 */
export async function* decodeEntries(reader: ByteReader): AsyncGenerator<BackupEntry> {
  const seen = new Set<string>();
  while (!(await reader.isAtEnd())) {
    const head = await readEntryHead(reader);
    if (seen.has(head.name)) throw damaged(`${head.name} is in it twice`);
    seen.add(head.name);
    let left = head.size;
    const content = counted(reader.stream(head.size), (length) => (left -= length));
    yield { ...head, content };
    // Who does not want it skips it.
    for await (const _ of content);
    if (left !== 0) throw damaged(head.name);
  }
}

async function readEntryHead(reader: ByteReader): Promise<Omit<BackupEntry, "content">> {
  const nameLength = (await reader.take(2))?.readUInt16BE() ?? 0;
  if (nameLength === 0 || nameLength > NAME_BYTES_MAX) throw damaged("the name of a file in it");
  const name = await reader.take(nameLength);
  const size = (await reader.take(8))?.readBigUInt64BE();
  if (name === undefined || size === undefined) throw damaged("the name of a file in it");
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged("the size of a file in it");
  return { name: entryName(name.toString("utf8")), size: Number(size) };
}

/** A file that grows or shrinks while it is read would shift everything behind it. */
async function* exactly(
  content: AsyncIterable<Uint8Array>,
  { name, size }: { name: string; size: number },
): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const part of content) {
    left -= part.length;
    if (left < 0) break;
    yield part;
  }
  if (left !== 0) throw new Error(`${name} changed while it was backed up`);
}

async function* counted(
  content: AsyncGenerator<Uint8Array>,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  for (let next = await content.next(); next.done !== true; next = await content.next()) {
    count(next.value.length);
    yield next.value;
  }
}

import * as z from "zod";
import { constantTimeEqual, sha256 } from "#platform/lib/hmac.ts";
import type { ByteReader } from "./byte-reader.ts";
import { fileKeySchema } from "./file-key.ts";
import { BackupProblem, damaged } from "./problem.ts";

const MAGIC = Buffer.from("claviger-backup\n", "latin1");
const FORMAT_VERSION = 1;
const PRELUDE_BYTES = MAGIC.length + 2 + 4;
const DIGEST_BYTES = 32;
/** Looked at before a byte of the header is read. */
const HEADER_BYTES_MAX = 16 * 1024;

const facts = {
  /** When the store was as it is in the backup, RFC 3339. */
  created: z.iso.datetime({ precision: 3 }),
  server_version: z.string().max(64),
  store_version: z.int().min(1),
  node_id: z.string().max(64),
  /** The fingerprint of the server key that opens it; before a server key is set there is none. */
  server_key: z.union([z.string().regex(/^[0-9a-f]{16}$/), z.literal("uninitialized")]),
  /** Whether the configuration directory is in it too. */
  with_config: z.boolean(),
};
const factsSchema = z.strictObject(facts);
const headerSchema = z.strictObject({ ...facts, file_key: fileKeySchema });

/** What a backup says of itself to anyone who holds it. */
export type BackupFacts = z.infer<typeof factsSchema>;
export type BackupHeader = z.infer<typeof headerSchema>;

/** Everything before the chunks: magic, version, length, header, and a digest of all that. */
export function encodeHead(header: BackupHeader): { bytes: Buffer; digest: Buffer } {
  const text = Buffer.from(JSON.stringify(header), "utf8");
  if (text.length > HEADER_BYTES_MAX) throw new Error("the header of a backup is too long");
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  MAGIC.copy(prelude);
  prelude.writeUInt16BE(FORMAT_VERSION, MAGIC.length);
  prelude.writeUInt32BE(text.length, MAGIC.length + 2);
  const digest = sha256(Buffer.concat([prelude, text]));
  return { bytes: Buffer.concat([prelude, text, digest]), digest };
}

/** Reads it. Throws BackupProblem for another file, a newer format, and for anything that was changed. */
export async function readHead(reader: ByteReader): Promise<{ header: BackupHeader; digest: Buffer }> {
  const magic = await reader.take(MAGIC.length);
  if (magic === undefined || !magic.equals(MAGIC))
    throw new BackupProblem("foreign", "the file is not a backup of Claviger");
  const rest = await reader.take(PRELUDE_BYTES - MAGIC.length);
  if (rest === undefined) throw damaged("its beginning");
  const version = rest.readUInt16BE();
  if (version !== FORMAT_VERSION)
    throw new BackupProblem(
      version > FORMAT_VERSION ? "newer" : "damaged",
      `the backup has format ${version}; this program knows format ${FORMAT_VERSION}`,
    );
  const length = rest.readUInt32BE(2);
  if (length > HEADER_BYTES_MAX) throw damaged("its header is too long");
  const text = await reader.take(length);
  const digest = await reader.take(DIGEST_BYTES);
  if (text === undefined || digest === undefined) throw damaged("its header");
  if (!constantTimeEqual(digest, sha256(Buffer.concat([magic, rest, text])))) throw damaged("its header");
  return { header: parseHeader(text), digest };
}

function parseHeader(text: Buffer): BackupHeader {
  try {
    return headerSchema.parse(JSON.parse(text.toString("utf8")));
  } catch (cause) {
    throw damaged("its header", cause);
  }
}

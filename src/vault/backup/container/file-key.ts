import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import * as z from "zod";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import { type Argon2Parameters, argon2id } from "#platform/lib/argon2.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { BackupProblem } from "./problem.ts";

const SALT_BYTES = 16;
const WRAPPED_FOR = Buffer.from("claviger backup 1 file key");
const PAYLOAD = Buffer.from("claviger backup 1 payload");

/** What a hostile file may ask of who opens it: a quarter of a gigabyte for some seconds. */
const cost = {
  memory_kib: z.int().min(8).max(262144),
  passes: z.int().min(1).max(16),
  lanes: z.int().min(1).max(4),
};

/** Where the key of a backup's contents comes from: it lies open, a checksum and no more, or a password wraps it. */
export const fileKeySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("open"), key: bytes(AEAD_KEY_BYTES) }),
  z.strictObject({
    kind: z.literal("password"),
    salt: bytes(SALT_BYTES),
    ...cost,
    nonce: bytes(AEAD_NONCE_BYTES),
    wrapped: bytes(AEAD_KEY_BYTES + AEAD_TAG_BYTES),
  }),
]);
export type FileKeySlot = z.infer<typeof fileKeySchema>;

/** A new file key, for the caller to zero, and the slot that leads to it. */
export async function newFileKey(
  password: Secret | undefined,
  { cost, random }: { cost: Argon2Parameters; random: Random },
): Promise<{ fileKey: Buffer; slot: FileKeySlot }> {
  const fileKey = random.bytes(AEAD_KEY_BYTES);
  if (password === undefined) return { fileKey, slot: { kind: "open", key: fileKey.toString("base64url") } };
  const [salt, nonce] = [random.bytes(SALT_BYTES), random.bytes(AEAD_NONCE_BYTES)];
  const wrappingKey = await wrappingKeyOf(password, salt, cost);
  const { memoryKib, passes, lanes } = cost;
  const slot: FileKeySlot = {
    kind: "password",
    salt: salt.toString("base64url"),
    memory_kib: memoryKib,
    passes,
    lanes,
    nonce: nonce.toString("base64url"),
    wrapped: encrypt(wrappingKey, nonce, fileKey, WRAPPED_FOR).toString("base64url"),
  };
  return { fileKey, slot };
}

/** The file key, for the caller to zero. Throws BackupProblem when a password is missing, wrong or one too many. */
export async function openFileKey(slot: FileKeySlot, password: Secret | undefined): Promise<Buffer> {
  if (slot.kind === "open") {
    if (password === undefined) return Buffer.from(slot.key, "base64url");
    throw new BackupProblem("needless_password", "the backup has no password, and one was given");
  }
  if (password === undefined)
    throw new BackupProblem("no_password", "the backup is closed by a password, and none was given");
  const { memory_kib: memoryKib, passes, lanes } = slot;
  const salt = Buffer.from(slot.salt, "base64url");
  const wrappingKey = await wrappingKeyOf(password, salt, { memoryKib, passes, lanes });
  try {
    const wrapped = Buffer.from(slot.wrapped, "base64url");
    return decrypt(wrappingKey, Buffer.from(slot.nonce, "base64url"), wrapped, WRAPPED_FOR);
  } catch (cause) {
    throw new BackupProblem("wrong_password", "the password is not that of the backup", cause);
  }
}

/** The key of the chunks; `headDigest` binds all that stands before them to it. Zeroes `fileKey`. */
export function payloadKey(fileKey: Buffer, headDigest: Uint8Array): KeyObject {
  const bytes = Buffer.from(hkdfSync("sha256", fileKey, headDigest, PAYLOAD, AEAD_KEY_BYTES));
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
    fileKey.fill(0);
  }
}

/** The same characters typed on another system may be other code points: NFKC makes them one, as for the server key. */
async function wrappingKeyOf(password: Secret, salt: Buffer, cost: Argon2Parameters): Promise<KeyObject> {
  const text = password.expose().normalize("NFKC");
  const bytes = await argon2id(text, { ...cost, salt, length: AEAD_KEY_BYTES });
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** `length` bytes in base64url, in the one spelling that encodes them. */
function bytes(length: number): z.ZodString {
  return z.string().refine((text) => {
    const decoded = Buffer.from(text, "base64url");
    return decoded.length === length && decoded.toString("base64url") === text;
  });
}

import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import * as z from "zod";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import { credentialTexts, parseCredentialTexts } from "../credential-texts.ts";

/** From whom to whom a change of the PIN goes. */
interface Way {
  readonly clusterId: string;
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
}

const NAME = "claviger cluster pin change";
const VERSION = "1";
const LONGEST_FILE = 65_536;
const file = z.string().max(LONGEST_FILE);
/** All files but the node's own key. */
const texts = z.strictObject({ "cluster.json": file, pin_hash: file, pin_derived_key: file });

/**
 * The credentials of a new PIN under a key of the token before it (AES-256-GCM, base64url): they are read, and believed,
 * only where the same PIN was in force. docs/formats/pin-change.md.
 */
export function sealPinChange(token: Secret, now: ClusterCredentials, way: Way, random: Random): string {
  const { "node.key": _, ...shared } = credentialTexts(now);
  const nonce = random.bytes(AEAD_NONCE_BYTES);
  const sealed = encrypt(keyOf(token), nonce, Buffer.from(JSON.stringify(shared)), aboutWay(way));
  return Buffer.concat([nonce, sealed]).toString("base64url");
}

/** What was sealed under this token, with this node's own key; undefined where it was not, or is no change of a PIN. */
export function openPinChange(
  { memberToken, nodeKey }: Pick<ClusterCredentials, "memberToken" | "nodeKey">,
  sealed: string,
  way: Way,
): ClusterCredentials | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  const [nonce, ciphertext] = [bytes.subarray(0, AEAD_NONCE_BYTES), bytes.subarray(AEAD_NONCE_BYTES)];
  try {
    const plain = decrypt(keyOf(memberToken), nonce, ciphertext, aboutWay(way)).toString("utf8");
    const shared = texts.parse(JSON.parse(plain));
    const found = parseCredentialTexts("", { ...shared, "node.key": nodeKey.expose() });
    return found.clusterId === way.clusterId ? found : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(token: Secret): KeyObject {
  const bytes = Buffer.from(token.expose(), "base64url");
  return createSecretKey(Buffer.from(hkdfSync("sha256", bytes, "", `${NAME} ${VERSION}`, AEAD_KEY_BYTES)));
}

function aboutWay({ clusterId, from, to }: Way): Buffer {
  return Buffer.concat([NAME, VERSION, clusterId, from, to].flatMap(withLength));
}

function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import { withLength } from "../join/transcript.ts";

/** The version of calls between nodes that this program speaks. */
const CALL_VERSION = "1";
const NAME = "claviger node call";
const PROOF_INFO = `claviger cluster node call ${CALL_VERSION}`;
const PROOF_KEY_BYTES = 32;
const SCHEME = "claviger-node";

/** Of which call a proof is; docs/formats/node-call.md has the bytes. */
export interface NodeCall {
  readonly callerId: string;
  readonly calleeId: string;
  /** Of the TLS connection: RFC 9266, `tls-exporter`, base64url. */
  readonly binding: string;
}

/** What a node proves, and by which of the two ends of a call. */
interface Said extends NodeCall {
  readonly use: "request" | "answer";
}

/** Base64url: an Ed25519 signature, and an HMAC-SHA256 that only who has the member token can make. */
interface Proofs {
  readonly signature: string;
  /** Undefined where the PIN is not proven. */
  readonly proof: string | undefined;
}

type OwnCredentials = Pick<ClusterCredentials, "clusterId" | "nodeKey" | "memberToken">;

/** The `Authorization` header of a call. */
export function callerCredential(own: OwnCredentials, call: NodeCall): string {
  const bytes = bytesOf(own.clusterId, { ...call, use: "request" });
  const { nodeKey, proofKey } = keysOf(own);
  return `Claviger-Node ${call.callerId}.${signed(nodeKey, bytes)}.${authenticated(proofKey, bytes)}`;
}

/** What the answer to a call bears: the PIN is proven only to a caller that proved it. */
export function calleeProof(own: OwnCredentials, call: NodeCall, toMember: boolean): string {
  const bytes = bytesOf(own.clusterId, { ...call, use: "answer" });
  const { nodeKey, proofKey } = keysOf(own);
  const signature = signed(nodeKey, bytes);
  return toMember ? `${signature}.${authenticated(proofKey, bytes)}` : signature;
}

/** What an `Authorization` header says, of a node or not; undefined for one that no node writes. */
export function parseCallerCredential(
  header: string | undefined,
): (Proofs & { readonly callerId: string }) | undefined {
  const [scheme = "", rest = "", ...more] = header?.split(" ") ?? [];
  if (scheme.toLowerCase() !== SCHEME || more.length > 0) return undefined;
  const [, callerId, signature, proof] =
    /^(node_[A-Za-z0-9]{16})\.([A-Za-z0-9_-]{86})\.([A-Za-z0-9_-]{43})$/.exec(rest) ?? [];
  if (callerId === undefined || signature === undefined || proof === undefined) return undefined;
  return { callerId, signature, proof };
}

/** What an answer's header says; undefined for one that no node writes. */
export function parseCalleeProof(header: string | undefined): Proofs | undefined {
  const [, signature, proof] = /^([A-Za-z0-9_-]{86})(?:\.([A-Za-z0-9_-]{43}))?$/.exec(header ?? "") ?? [];
  return signature === undefined ? undefined : { signature, proof };
}

/**
 * Whether what was said is of the node that has `nodeKey` (SPKI, DER, base64url), and whether it has the same member
 * token. Without a node key, and whatever is presented, it costs the same.
 */
export function judgeProofs(
  own: OwnCredentials,
  said: Said,
  { nodeKey, proofs }: { readonly nodeKey: string | undefined; readonly proofs: Proofs | undefined },
): { readonly isNode: boolean; readonly hasPin: boolean } {
  const bytes = bytesOf(own.clusterId, said);
  const signature = Buffer.from(proofs?.signature ?? "", "base64url");
  const known = nodeKey === undefined ? undefined : publicKeyOf(nodeKey);
  const verified = verify(null, bytes, known ?? decoyKey(), padded(signature));
  const isNode = known !== undefined && verified;
  const expected = createHmac("sha256", keysOf(own).proofKey).update(bytes).digest();
  const isMember = constantTimeEqual(Buffer.from(proofs?.proof ?? "", "base64url"), expected);
  return { isNode, hasPin: isNode && isMember };
}

/** Every field with its length before it, so that no two calls encode alike. */
function bytesOf(clusterId: string, { use, callerId, calleeId, binding }: Said): Buffer {
  const fields = [NAME, CALL_VERSION, use, clusterId, callerId, calleeId, binding];
  return Buffer.concat(fields.flatMap(withLength));
}

function signed(nodeKey: KeyObject, bytes: Buffer): string {
  return sign(null, bytes, nodeKey).toString("base64url");
}

function authenticated(proofKey: KeyObject, bytes: Buffer): string {
  return createHmac("sha256", proofKey).update(bytes).digest("base64url");
}

interface OwnKeys {
  readonly nodeKey: KeyObject;
  readonly proofKey: KeyObject;
}
const ownKeys = new WeakMap<OwnCredentials, OwnKeys>();

/** Worked out once for each reading of the files. */
function keysOf(own: OwnCredentials): OwnKeys {
  const known = ownKeys.get(own);
  if (known !== undefined) return known;
  const token = Buffer.from(own.memberToken.expose(), "base64url");
  const proofKey = createSecretKey(Buffer.from(hkdfSync("sha256", token, "", PROOF_INFO, PROOF_KEY_BYTES)));
  const made = { nodeKey: createPrivateKey(own.nodeKey.expose()), proofKey };
  ownKeys.set(own, made);
  return made;
}

/** Undefined for what is no Ed25519 key. */
function publicKeyOf(nodeKey: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(nodeKey, "base64url"), format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

const SIGNATURE_BYTES = 64;

/** A signature of another length would be refused before any of the work. */
function padded(signature: Buffer): Buffer {
  return signature.length === SIGNATURE_BYTES ? signature : Buffer.alloc(SIGNATURE_BYTES);
}

let decoy: KeyObject | undefined;

/** Judged in place of the key of a node that nobody knows. */
function decoyKey(): KeyObject {
  decoy ??= generateKeyPairSync("ed25519").publicKey;
  return decoy;
}

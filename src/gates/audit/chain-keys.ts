import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { Secret } from "#platform/lib/secret.ts";
import type { Tables } from "#platform/storage/tables.ts";
import { ByteWriter } from "./byte-writer.ts";

/** PKCS #8 (RFC 8410) around a 32-byte Ed25519 seed. */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const NO_HASH = Buffer.alloc(32);
/** What an encoding is of: its first byte. */
const KIND = { genesis: 0, row: 1, checkpoint: 2, head: 3, anchor: 4, note: 5 } as const;

export type AuditColumns = Tables["audit"];
export type Checkpoint = Tables["audit_checkpoint"];
export type Head = Omit<Tables["audit_head"], "mac">;

/** Where a chain had come to at a time. */
export interface Point {
  readonly chain: string;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly checkpoint: number;
  readonly time: number;
}

/**
 * What a chain is made and checked with, all of it from one secret: HKDF-SHA256 (RFC 5869) keys for HMAC-SHA256 over rows,
 * heads and notes, and an Ed25519 key (RFC 8032) for checkpoints. The chain is named for its public key, so that no
 * two secrets write the same one. Encodings: docs/formats/audit-record.md.
 */
export class ChainKeys {
  /** `chain_`, and the first 16 hexadecimal digits of SHA-256 over the public key. */
  readonly chain: string;
  /** 32 bytes, lower-case hexadecimal. */
  readonly publicKey: string;
  readonly #rows: KeyObject;
  readonly #heads: KeyObject;
  readonly #notes: KeyObject;
  readonly #signing: KeyObject;
  readonly #verifying: KeyObject;
  readonly #writer = new ByteWriter();

  constructor(secret: Secret) {
    this.#rows = createSecretKey(derive(secret, "row"));
    this.#heads = createSecretKey(derive(secret, "head"));
    this.#notes = createSecretKey(derive(secret, "note"));
    const key = Buffer.concat([ED25519_PKCS8, derive(secret, "checkpoint")]);
    this.#signing = createPrivateKey({ key, format: "der", type: "pkcs8" });
    this.#verifying = createPublicKey(this.#signing);
    const raw = this.#verifying.export({ format: "der", type: "spki" }).subarray(-32);
    this.publicKey = raw.toString("hex");
    this.chain = `chain_${createHash("sha256").update(raw).digest("hex").slice(0, 16)}`;
  }

  /** What the first row after `seq` goes on from, where a chain begins there. */
  genesis(seq: number): Buffer {
    return mac(this.#rows, this.#writer.begin(KIND.genesis).text(this.chain).integer(seq));
  }

  /** The hash of `row`, whatever its own says, when `previous` is that of the row before it. */
  rowHash(previous: Uint8Array, row: Omit<AuditColumns, "hash">): Buffer {
    return mac(this.#rows, writeRow(this.#writer, previous, row));
  }

  headMac(head: Head): Buffer {
    const { chain, seq, hash, checkpoint, checkpoint_seq, checkpoint_time } = head;
    this.#writer.begin(KIND.head).text(chain).integer(seq).bytes(hash);
    return mac(
      this.#heads,
      this.#writer.integer(checkpoint).integer(checkpoint_seq).integer(checkpoint_time),
    );
  }

  noteMac(line: string): Buffer {
    return mac(this.#notes, this.#writer.begin(KIND.note).text(line));
  }

  signCheckpoint(checkpoint: Omit<Checkpoint, "signature">): Buffer {
    return sign(null, this.#checkpoint(checkpoint).written(), this.#signing);
  }

  isCheckpointSigned(checkpoint: Checkpoint): boolean {
    return verify(null, this.#checkpoint(checkpoint).written(), this.#verifying, checkpoint.signature);
  }

  signAnchor(point: Point): Buffer {
    return sign(null, this.#anchor(point).written(), this.#signing);
  }

  isAnchorSigned(point: Point, signature: Uint8Array): boolean {
    return verify(null, this.#anchor(point).written(), this.#verifying, signature);
  }

  #checkpoint({ chain, number, kind, seq, time, hash }: Omit<Checkpoint, "signature">): ByteWriter {
    this.#writer.begin(KIND.checkpoint).text(chain).integer(number);
    return this.#writer
      .byte(kind === "start" ? 0 : 1)
      .integer(seq)
      .integer(time)
      .bytes(hash);
  }

  #anchor({ chain, seq, hash, checkpoint, time }: Point): ByteWriter {
    this.#writer.begin(KIND.anchor).text(chain).integer(seq);
    return this.#writer.bytes(hash).integer(checkpoint).integer(time);
  }
}

/** Adds up the rows of a chain that nobody here has the secret of, with their hashes, in order: SHA-256. */
export class RowDigest {
  readonly #hash = createHash("sha256");
  readonly #writer = new ByteWriter();

  add(row: AuditColumns): void {
    this.#hash.update(writeRow(this.#writer, row.hash ?? NO_HASH, row).written());
  }

  /** Lower-case hexadecimal. */
  end(): string {
    return this.#hash.digest("hex");
  }
}

function writeRow(writer: ByteWriter, previous: Uint8Array, row: Omit<AuditColumns, "hash">): ByteWriter {
  writer.begin(KIND.row).bytes(previous).text(row.chain).integer(row.seq).integer(row.time);
  writer.text(row.actor).text(row.action).optionalText(row.target).text(row.outcome);
  return writer.optionalText(row.address).optionalText(row.request_id).integer(row.count);
}

function mac(key: KeyObject, writer: ByteWriter): Buffer {
  return createHmac("sha256", key).update(writer.written()).digest();
}

function derive(secret: Secret, use: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret.expose(), "", `claviger audit ${use} 1`, 32));
}

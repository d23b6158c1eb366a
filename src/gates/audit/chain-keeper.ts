import type { Clock } from "#platform/lib/clock.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { Anchor } from "./anchor.ts";
import { addCheckpoint } from "./chain.ts";
import { ChainKeys, type Head } from "./chain-keys.ts";
import { type ChainStart, startChain } from "./chain-start.ts";
import { type AuditNote, readNotes, removeNotes } from "./notes.ts";
import { readHead } from "./store.ts";

/** A checkpoint is signed when this many rows are behind the one before, */
const CHECKPOINT_ROWS = 1000;
/** or any, and this much time. */
const CHECKPOINT_EVERY_MS = 5 * 60_000;
const EXIT_TEMPFAIL = 75;

/** Where a chain is, and what its checkpoints are checked with. */
export interface ChainFacts {
  readonly chain: string;
  /** Ed25519, 32 bytes, lower-case hexadecimal. */
  readonly public_key: string;
  readonly seq: number;
  /** Of the last row, lower-case hexadecimal. */
  readonly hash: string;
  /** When the newest checkpoint was signed, RFC 3339. */
  readonly checkpoint_at: string;
}

/** Looks after the chain: how it begins and goes on at a start, its checkpoints, and what stands outside the store of it. */
export class ChainKeeper {
  readonly keys: ChainKeys;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #directory: string | undefined;
  readonly #anchor: Anchor | undefined;
  #anchoredSeq = -1;

  /** `directory`: where the store is, and the anchor; without it there is none. */
  constructor(
    parts: { readonly database: Database; readonly clock: Clock; readonly log?: Log | undefined },
    secret: Secret,
    directory: string | undefined,
  ) {
    this.keys = new ChainKeys(secret);
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#directory = directory;
    this.#anchor = directory === undefined ? undefined : new Anchor(directory, this.keys);
  }

  /** To be called before anything is written. Throws StartError (75) for a full disk. */
  async start(): Promise<void> {
    const directory = this.#directory;
    const { notes, forged } =
      directory === undefined ? { notes: [], forged: 0 } : readNotes(directory, this.keys);
    const { breaks } = await this.#begin(notes, forged);
    // After a crash before this line they are written twice: better than never.
    // An empty one too, which a command has left that found no room.
    if (directory !== undefined) removeNotes(directory);
    for (const detail of breaks)
      this.#log?.error({ detail }, "the audit was tampered with: claviger audit verify");
    // Where the anchor cannot be written the next `keep` says so.
    await this.#anchorEnd().catch(() => undefined);
  }

  /** Puts down outside the store where the chain ends, and signs a checkpoint where one is due. Throws what the store throws. */
  async keep({ last = false } = {}): Promise<void> {
    const head = await this.#anchorEnd();
    if (head === undefined || !(last || this.#isDue(head))) return;
    const point = await this.#database.transaction((query) =>
      addCheckpoint(query, this.keys, this.#clock.now()),
    );
    if (point === undefined) return;
    const detail = `${point.chain} ${point.seq}:${Buffer.from(point.hash).toString("hex")}`;
    this.#log?.info({ detail }, "audit checkpoint");
  }

  /** Where the chain is; undefined before it begins. */
  async facts(): Promise<ChainFacts | undefined> {
    const stored = await readHead(this.#database.query, this.keys);
    if (stored === undefined) return undefined;
    const { chain, seq, hash, checkpoint_time } = stored.head;
    return {
      chain,
      public_key: this.keys.publicKey,
      seq,
      hash: Buffer.from(hash).toString("hex"),
      checkpoint_at: toTimestamp(checkpoint_time),
    };
  }

  async #begin(notes: readonly AuditNote[], forgedNotes: number): Promise<ChainStart> {
    const parts = { keys: this.keys, anchor: this.#anchor, notes, forgedNotes, nowMs: this.#clock.now() };
    try {
      return await this.#database.transaction((query) => startChain(query, parts));
    } catch (cause) {
      if (!(cause instanceof AppError && cause.code === "storage_full")) throw cause;
      throw new StartError("The disk is full: no record can be written. Make room and start again.", {
        exitCode: EXIT_TEMPFAIL,
        cause,
      });
    }
  }

  async #anchorEnd(): Promise<Head | undefined> {
    const stored = await readHead(this.#database.query, this.keys);
    if (stored === undefined || !stored.genuine) return undefined;
    const { head } = stored;
    if (this.#anchor !== undefined && head.seq !== this.#anchoredSeq) {
      await this.#anchor.write({ ...head, time: this.#clock.now() });
      this.#anchoredSeq = head.seq;
    }
    return head;
  }

  #isDue({ seq, checkpoint_seq, checkpoint_time }: Head): boolean {
    const rows = seq - checkpoint_seq;
    return (
      rows >= CHECKPOINT_ROWS || (rows > 0 && this.#clock.now() - checkpoint_time >= CHECKPOINT_EVERY_MS)
    );
  }
}

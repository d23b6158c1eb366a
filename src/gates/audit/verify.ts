import { join } from "node:path";
import { toTimestamp } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { openForReading, type ReadOnlyStore } from "#platform/storage/read-only-store.ts";
import { Anchor } from "./anchor.ts";
import { ChainKeys, type Checkpoint, type Head, type Point } from "./chain-keys.ts";
import { ADOPT, BREAK } from "./chain-start.ts";
import { CheckpointCheck } from "./checkpoint-check.ts";
import { type AuditReport, Findings, rowsText } from "./finding.ts";
import { checkOthers } from "./other-chains.ts";
import { RowCheck } from "./row-check.ts";
import { storedHead, storedNumber, storedRows, toColumns } from "./stored-chain.ts";

const EXIT_DATAERR = 65;
const PROGRESS_EVERY = 10_000;

export interface VerifyOptions {
  readonly dataDir: string;
  readonly secret: Secret;
  /** Numbers of rows, both included; what is outside is not looked at. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** A row and its hash as they were once seen, such as in the log. */
  readonly known?: { readonly seq: number; readonly hash: string } | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Checks the records of a data directory on this thread, also while a server runs on it. Throws StartError (65) where
 * there is no store, or one that cannot be read.
 */
export function verifyAudit(options: VerifyOptions): AuditReport {
  const keys = new ChainKeys(options.secret);
  // Before the store: what is written there in the meantime is beyond it.
  const anchor = new Anchor(join(options.dataDir, "db"), keys).read();
  using store = openForReading(options.dataDir);
  const tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('audit_head', 'audit_checkpoint')";
  if (storedNumber(store, tables) !== 2)
    throw new StartError("The store has no chain of records: it is of an older version.", {
      exitCode: EXIT_DATAERR,
    });
  return new Verification({ store, keys, anchor, options }).run();
}

class Verification {
  readonly #store: ReadOnlyStore;
  readonly #keys: ChainKeys;
  readonly #anchor: Point | "forged" | undefined;
  readonly #options: VerifyOptions;
  readonly #findings = new Findings();
  readonly #vouched: string[] = [];

  constructor(parts: {
    readonly store: ReadOnlyStore;
    readonly keys: ChainKeys;
    readonly anchor: Point | "forged" | undefined;
    readonly options: VerifyOptions;
  }) {
    this.#store = parts.store;
    this.#keys = parts.keys;
    this.#anchor = parts.anchor;
    this.#options = parts.options;
  }

  run(): AuditReport {
    const { to, from } = this.#options;
    const head = this.#head();
    const checkpoints = new CheckpointCheck(this.#store, this.#keys, this.#findings);
    const start = checkpoints.start;
    const check = this.#rows(start, checkpoints);
    if (to === undefined) this.#end({ head, check, checkpoints });
    if (from === undefined && to === undefined)
      checkOthers(this.#store, this.#keys, { vouched: this.#vouched, findings: this.#findings });
    return {
      whole: this.#findings.list.length === 0,
      chain: this.#keys.chain,
      public_key: this.#keys.publicKey,
      since: start === undefined ? null : toTimestamp(start.time),
      first: check.first,
      last: check.first === null ? null : check.seq,
      rows: check.rows,
      checkpoints: checkpoints.count,
      anchored: typeof this.#anchor === "object" ? this.#anchor.seq : null,
      findings: this.#findings.list,
      more_findings: this.#findings.more,
    };
  }

  #head(): Head | undefined {
    const stored = storedHead(this.#store, this.#keys);
    if (stored === undefined) {
      this.#findings.add("head", "the chain's head is missing");
      return undefined;
    }
    if (stored !== "malformed" && stored.genuine) return stored.head;
    this.#findings.add("head", "the chain's head was changed");
    return undefined;
  }

  #rows(start: Checkpoint | undefined, checkpoints: CheckpointCheck): RowCheck {
    const { onProgress, to = Number.MAX_SAFE_INTEGER } = this.#options;
    const begin = this.#begin(start);
    const check = new RowCheck(this.#keys, this.#findings, begin);
    const total = storedNumber(
      this.#store,
      "SELECT count(*) FROM audit WHERE chain = ? AND seq > ? AND seq <= ?",
      this.#keys.chain,
      begin.seq,
      to,
    );
    for (const stored of storedRows(this.#store, this.#keys.chain, { from: begin.seq + 0.5, to })) {
      const row = toColumns(stored);
      if (row === undefined) check.takeMalformed(stored.seq, stored.hash);
      else {
        const fits = check.take(row);
        if (fits) this.#read(row);
        checkpoints.pass(row, fits);
        this.#compare(row);
      }
      if (check.rows % PROGRESS_EVERY === 0) onProgress?.(check.rows, total);
    }
    check.end();
    return check;
  }

  /** Behind the checkpoint at the start, or at the row that was asked for. */
  #begin(start: Checkpoint | undefined): { seq: number; hash: Uint8Array | undefined } {
    const { from } = this.#options;
    const { chain } = this.#keys;
    const seq = start?.seq ?? 0;
    if (from !== undefined && from > seq + 1) {
      const [before] = [...storedRows(this.#store, chain, { from: from - 1, to: from - 1 })];
      return { seq: from - 1, hash: (before && toColumns(before)?.hash) ?? undefined };
    }
    const sql = "SELECT count(*) FROM audit WHERE chain = ? AND (seq <= ? OR seq > 9007199254740991)";
    const early = storedNumber(this.#store, sql, chain, seq);
    if (early > 0)
      this.#findings.add(
        "put_in",
        `${early} rows were put in that are none of the chain: its first is row ${seq + 1}`,
      );
    return { seq, hash: start?.hash };
  }

  #read({ action, target, seq, time }: { action: string; target: string | null; seq: number; time: number }) {
    if (action === ADOPT && target !== null) this.#vouched.push(target);
    if (action !== BREAK) return;
    const text = `row ${seq} records what the server found when it started at ${toTimestamp(time)}: ${target}`;
    this.#findings.add("recorded_break", text, seq);
  }

  /** With what is known from elsewhere. */
  #compare({ seq, hash }: { seq: number; hash: Uint8Array | null }): void {
    const is = (wanted: string) => hash !== null && Buffer.from(hash).toString("hex") === wanted;
    const { known } = this.#options;
    const anchor = this.#anchor;
    if (typeof anchor === "object" && anchor.seq === seq && !is(Buffer.from(anchor.hash).toString("hex")))
      this.#findings.add("anchor", `row ${seq} is not the one the anchor was made of`, seq);
    if (known?.seq === seq && !is(known.hash))
      this.#findings.add("anchor", `row ${seq} is not the one that was given`, seq);
  }

  #end(found: {
    readonly head: Head | undefined;
    readonly check: RowCheck;
    readonly checkpoints: CheckpointCheck;
  }): void {
    const { head, check, checkpoints } = found;
    checkpoints.end(head);
    const anchor = this.#anchor;
    if (anchor === "forged") this.#findings.add("anchor", "the anchor beside the store was changed");
    if (anchor === undefined && checkpoints.last > 1)
      this.#findings.add("anchor", "the anchor beside the store is missing");
    const last = check.seq;
    const anchored = typeof anchor === "object" ? anchor.seq : 0;
    const end = Math.max(head?.seq ?? 0, anchored, checkpoints.lastSeq, this.#options.known?.seq ?? 0);
    if (last < end) {
      const old = head?.seq === last;
      const why = old ? "the store is an older copy" : "the tail was cut";
      this.#findings.add(
        old ? "old_copy" : "cut",
        `${rowsText(last + 1, end)} ${last + 1 === end ? "is" : "are"} missing: ${why}`,
        last + 1,
        end,
      );
    }
    if (head?.seq === last && check.last !== undefined && !Buffer.from(head.hash).equals(check.last))
      this.#findings.add("changed", `row ${last} is not the one that was written last`, last);
    if (head !== undefined && last > head.seq)
      this.#findings.add(
        "put_in",
        `${rowsText(head.seq + 1, last)} put in behind the end`,
        head.seq + 1,
        last,
      );
  }
}

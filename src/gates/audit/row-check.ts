import type { AuditColumns, ChainKeys } from "./chain-keys.ts";
import { type Findings, rowsText } from "./finding.ts";

/** Rows that do not fit, one behind the other. */
interface Run {
  readonly from: number;
  to: number;
  /** The first two, and what the first is to go on from: enough to tell a swap from a row put in. */
  readonly rows: AuditColumns[];
  readonly previous: Uint8Array;
}

/** Goes along the rows of a chain, each checked against the one before it. */
export class RowCheck {
  /** The numbers of the first row, where there is one, and the last. */
  first: number | null = null;
  seq: number;
  rows = 0;
  /** The hash of the last row; undefined where that does not fit, or there is none. */
  last: Uint8Array | undefined;
  readonly #keys: ChainKeys;
  readonly #findings: Findings;
  /** What the next row may go on from; more than one behind a row that does not fit; none where nobody knows. */
  #previous: readonly Uint8Array[];
  #run: Run | undefined;

  /** `hash`: of the row of number `seq`, or what the chain begins with; undefined where that row is not there. */
  constructor(
    keys: ChainKeys,
    findings: Findings,
    start: { readonly seq: number; readonly hash: Uint8Array | undefined },
  ) {
    this.#keys = keys;
    this.#findings = findings;
    this.seq = start.seq;
    this.#previous = start.hash === undefined ? [] : [start.hash];
  }

  /** Whether the row is as it was written. Rows come in the order of their numbers. */
  take(row: AuditColumns): boolean {
    if (row.seq > this.seq + 1) this.#skip(row.seq - 1);
    this.rows += 1;
    this.first ??= row.seq;
    this.seq = row.seq;
    const stored = row.hash;
    if (stored !== null && this.#goesOn(row, stored)) {
      this.end();
      this.last = stored;
      this.#previous = [stored];
      return true;
    }
    this.last = undefined;
    const [first] = this.#previous;
    const swapped = this.#note(row, first);
    const computed = first === undefined ? undefined : this.#keys.rowHash(first, row);
    // Either the row was changed, or its hash, or its place: the next one fits to the hash that is right.
    this.#previous = [stored, computed, swapped].filter((hash) => hash != null);
    return false;
  }

  /** A row that no server writes: its number, where it is one, and its hash. */
  takeMalformed(seq: unknown, hash: unknown): void {
    this.rows += 1;
    const isNext = Number.isSafeInteger(seq) && Number(seq) > this.seq;
    if (isNext && Number(seq) > this.seq + 1) this.#skip(Number(seq) - 1);
    this.end();
    const [at, what] = isNext ? [Number(seq), `row ${Number(seq)}`] : [null, `a row behind row ${this.seq}`];
    this.#findings.add("changed", `${what} is none that a server writes`, at);
    if (at === null) return;
    this.last = undefined;
    this.seq = at;
    this.first ??= at;
    this.#previous = hash instanceof Uint8Array ? [hash] : [];
  }

  /** Tells of what did not fit up to here. */
  end(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const [first, second] = run.rows;
    if (first === undefined) return;
    const kind = second === undefined ? "changed" : this.#judge(run.previous, first, second);
    if (kind === "swapped") {
      this.#findings.add(
        "swapped",
        `rows ${run.from} and ${run.from + 1} were swapped`,
        run.from,
        run.from + 1,
      );
      if (run.to === run.from + 1) return;
      return this.#changed(run.from + 2, run.to);
    }
    if (kind === "changed") return this.#changed(run.from, run.to);
    const behind = run.to - run.from;
    const text = `row ${run.from} was put in; the ${behind} behind it were moved up`;
    return this.#findings.add("put_in", text, run.from, run.to);
  }

  #changed(from: number, to: number): void {
    const was = from === to ? "was" : "were";
    this.#findings.add("changed", `${rowsText(from, to)} ${was} changed`, from, to);
  }

  #goesOn(row: AuditColumns, stored: Uint8Array): boolean {
    if (this.#previous.length === 0) return true;
    return this.#previous.some((hash) => this.#keys.rowHash(hash, row).equals(stored));
  }

  #skip(to: number): void {
    this.end();
    const from = this.seq + 1;
    this.#findings.add("missing", `${rowsText(from, to)} ${from === to ? "is" : "are"} missing`, from, to);
    this.#previous = [];
  }

  /** Gives the hash that the row's place has to have where it was swapped with the one before it. */
  #note(row: AuditColumns, previous: Uint8Array | undefined): Buffer | undefined {
    this.#run ??= { from: row.seq, to: row.seq, rows: [], previous: previous ?? Buffer.alloc(0) };
    this.#run.to = row.seq;
    const { rows, previous: before } = this.#run;
    if (rows.length === 2) return undefined;
    rows.push(row);
    const [first, second] = rows;
    if (first === undefined || second === undefined) return undefined;
    return this.#place(first, second.seq, this.#place(second, first.seq, before));
  }

  #judge(previous: Uint8Array, first: AuditColumns, second: AuditColumns): "changed" | "swapped" | "put_in" {
    const moved = this.#place(second, first.seq, previous);
    const isStored = (hash: Buffer) =>
      [first.hash, second.hash].some((one) => one !== null && hash.equals(one));
    if (!isStored(moved)) return "changed";
    return isStored(this.#place(first, second.seq, moved)) ? "swapped" : "put_in";
  }

  #place(row: AuditColumns, seq: number, before: Uint8Array): Buffer {
    return this.#keys.rowHash(before, { ...row, seq });
  }
}

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
    const [first, second] = this.#previous;
    const computed = first === undefined ? undefined : this.#keys.rowHash(first, row);
    const stored = row.hash;
    const fits =
      stored !== null &&
      (computed === undefined ||
        computed.equals(stored) ||
        (second !== undefined && this.#keys.rowHash(second, row).equals(stored)));
    if (fits) {
      this.end();
      this.#previous = [stored];
      return true;
    }
    this.#note(row, first);
    // Either the row was changed, or its hash: the next one fits to the hash that is right.
    this.#previous = [stored, computed].filter((hash) => hash != null);
    return false;
  }

  /** A row that no server writes is in the place behind the last one. */
  takeMalformed(): void {
    this.rows += 1;
    this.#findings.add(
      "changed",
      `the row behind row ${this.seq} is none that a server writes`,
      this.seq + 1,
    );
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

  #skip(to: number): void {
    this.end();
    const from = this.seq + 1;
    this.#findings.add("missing", `${rowsText(from, to)} ${from === to ? "is" : "are"} missing`, from, to);
    this.#previous = [];
  }

  #note(row: AuditColumns, previous: Uint8Array | undefined): void {
    this.#run ??= { from: row.seq, to: row.seq, rows: [], previous: previous ?? Buffer.alloc(0) };
    this.#run.to = row.seq;
    if (this.#run.rows.length < 2) this.#run.rows.push(row);
  }

  #judge(previous: Uint8Array, first: AuditColumns, second: AuditColumns): "changed" | "swapped" | "put_in" {
    const place = (row: AuditColumns, seq: number, before: Uint8Array) =>
      this.#keys.rowHash(before, { ...row, seq });
    const moved = place(second, first.seq, previous);
    const isStored = (hash: Buffer) =>
      [first.hash, second.hash].some((one) => one !== null && hash.equals(one));
    if (!isStored(moved)) return "changed";
    return isStored(place(first, second.seq, moved)) ? "swapped" : "put_in";
  }
}

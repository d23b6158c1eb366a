import type { ReadOnlyStore } from "#platform/storage/read-only-store.ts";
import type { AuditColumns, ChainKeys, Checkpoint, Head } from "./chain-keys.ts";
import type { Findings } from "./finding.ts";
import { storedCheckpoints } from "./stored-chain.ts";

/** The checkpoints of a chain: each signed, none missing, and each of the row that it names. */
export class CheckpointCheck {
  /** The one the rows begin behind. */
  readonly start: Checkpoint | undefined;
  /** How many have a right signature. */
  count = 0;
  /** The highest number of one, and the highest row that one names. */
  last = 0;
  lastSeq = 0;
  readonly #findings: Findings;
  /** By the number of the row. */
  readonly #rows = new Map<number, Checkpoint>();
  readonly #numbers: number[] = [];

  constructor(store: ReadOnlyStore, keys: ChainKeys, findings: Findings) {
    this.#findings = findings;
    for (const checkpoint of storedCheckpoints(store, keys)) {
      if (typeof checkpoint === "number") {
        findings.add("checkpoint", `checkpoint ${checkpoint} is not one that this server signed`);
        this.#numbers.push(checkpoint);
        continue;
      }
      this.count += 1;
      this.#numbers.push(checkpoint.number);
      this.last = checkpoint.number;
      this.lastSeq = Math.max(this.lastSeq, checkpoint.seq);
      if (checkpoint.kind === "start") this.start = checkpoint;
      else this.#rows.set(checkpoint.seq, checkpoint);
    }
    if (this.start === undefined) findings.add("checkpoint", "the checkpoint at the start is missing");
  }

  /** A row, and whether it is as it was written: if not, that is told elsewhere. */
  pass(row: AuditColumns, fits: boolean): void {
    const checkpoint = this.#rows.get(row.seq);
    if (checkpoint === undefined || !fits || row.hash === null) return;
    if (Buffer.from(checkpoint.hash).equals(row.hash)) return;
    this.#findings.add("checkpoint", `checkpoint ${checkpoint.number} is not of row ${row.seq}`, row.seq);
  }

  /** Tells which are missing. `head`: where there is one that can be believed. */
  end(head: Head | undefined): void {
    let expected = this.start?.number ?? 1;
    const missing = (to: number) => {
      const text = expected === to ? `checkpoint ${to} is` : `checkpoints ${expected} to ${to} are`;
      if (to >= expected) this.#findings.add("checkpoint", `${text} missing`);
    };
    for (const number of this.#numbers.filter((each) => each >= expected)) {
      missing(number - 1);
      expected = number + 1;
    }
    if (head === undefined) return;
    missing(head.checkpoint);
    if (this.last > head.checkpoint)
      this.#findings.add("checkpoint", `checkpoint ${this.last} was put in behind the last`);
  }
}

/** One place where the audit is not as the server wrote it. */
export interface AuditFinding {
  readonly kind:
    | "changed"
    | "swapped"
    | "put_in"
    | "missing"
    | "cut"
    | "old_copy"
    | "checkpoint"
    | "head"
    | "anchor"
    | "foreign"
    /** The server found something at a start of its own, and recorded it. */
    | "recorded_break";
  /** The first and the last row that it is about; null where it is about none. */
  readonly from: number | null;
  readonly to: number | null;
  /** In words. */
  readonly text: string;
}

/** What was looked at, and everything in it that is not as the server wrote it. */
export interface AuditReport {
  readonly whole: boolean;
  readonly chain: string;
  /** Ed25519, lower-case hexadecimal. */
  readonly public_key: string;
  /** RFC 3339; null without a checkpoint at the start. */
  readonly since: string | null;
  /** The numbers of the first and the last row; null without rows. */
  readonly first: number | null;
  readonly last: number | null;
  readonly rows: number;
  readonly checkpoints: number;
  /** The row that the file beside the store vouches for; null without one. */
  readonly anchored: number | null;
  readonly findings: readonly AuditFinding[];
  /** How many there are beyond those. */
  readonly more_findings: number;
}

const KEPT = 20;

/** The first findings, and how many more there are. */
export class Findings {
  readonly list: AuditFinding[] = [];
  more = 0;

  add(kind: AuditFinding["kind"], text: string, from: number | null = null, to = from): void {
    if (this.list.length < KEPT) this.list.push({ kind, from, to, text });
    else this.more += 1;
  }
}

/** `row 7`, or `rows 7 to 9`. */
export function rowsText(from: number, to: number): string {
  return from === to ? `row ${from}` : `rows ${from} to ${to}`;
}

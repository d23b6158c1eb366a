/** One thing that happened, as its author tells it; chain, number and time are the recorder's. */
export interface AuditEntry {
  /** The principal's id: `local`, a key's or identity's id, or `anonymous`. */
  readonly actor: string;
  readonly action: string;
  /** What it was done to, by name or id. */
  readonly target: string | null;
  readonly outcome: "success" | "failure" | "denied";
  /** The caller's address, null for the control socket. */
  readonly address: string | null;
  readonly requestId: string | null;
  /** How many events this one row stands for. */
  readonly count: number;
}

/** An entry, and when it was: milliseconds since the epoch. */
export type TimedEntry = AuditEntry & { readonly time: number };

/** A refusal, or a change that failed, as the pipeline tells it. */
export interface Refusal {
  /** The principal's id; null for a caller nobody knows. */
  readonly actor: string | null;
  readonly action: string;
  /** The route's template, not the raw path: callers choose paths, and rows must not be theirs to choose. */
  readonly route: string;
  /** What it was about, by name or id, where that was known. */
  readonly target?: string | undefined;
  readonly outcome: "failure" | "denied";
  readonly address: string | null;
  readonly requestId: string | null;
}

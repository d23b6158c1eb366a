/**
 * Why a file cannot be used: another program's, of a newer format, not whole, or closed by a password; `value`: a single
 * value cannot be put back from it.
 */
type BackupProblemKind =
  | "foreign"
  | "newer"
  | "damaged"
  | "no_password"
  | "wrong_password"
  | "needless_password"
  | "value";

/** What is wrong with a backup, in words for who wants it back. Nothing of it was used. */
export class BackupProblem extends Error {
  readonly kind: BackupProblemKind;
  /** What to do about it, where that is not plain. */
  readonly repair: string | undefined;

  constructor(kind: BackupProblemKind, message: string, cause?: unknown, repair?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "BackupProblem";
    this.kind = kind;
    this.repair = repair;
  }
}

export function damaged(where: string, cause?: unknown): BackupProblem {
  return new BackupProblem("damaged", `the backup is damaged or was cut short (${where})`, cause);
}

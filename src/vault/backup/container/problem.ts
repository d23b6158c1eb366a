/** Why a file cannot be used: another program's, of a newer format, not whole, or closed by a password. */
type BackupProblemKind =
  | "foreign"
  | "newer"
  | "damaged"
  | "no_password"
  | "wrong_password"
  | "needless_password";

/** What is wrong with a backup, in words for who wants it back. Nothing of it was used. */
export class BackupProblem extends Error {
  readonly kind: BackupProblemKind;

  constructor(kind: BackupProblemKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "BackupProblem";
    this.kind = kind;
  }
}

export function damaged(where: string, cause?: unknown): BackupProblem {
  return new BackupProblem("damaged", `the backup is damaged or was cut short (${where})`, cause);
}

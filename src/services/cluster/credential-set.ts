import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "#platform/config/bounded-text.ts";
import { quoteForShell } from "#platform/config/shell-quote.ts";

/** The files of a member, in the order they are written. */
export const CREDENTIAL_FILES = ["node.key", "pin_derived_key", "pin_hash", "cluster.json"] as const;
export type CredentialFile = (typeof CREDENTIAL_FILES)[number];
/** What is in them; undefined for one that is missing. */
export type CredentialSet = Readonly<Record<CredentialFile, string | undefined>>;

/** While this file is there, the drafts are what counts: all of them are whole. */
export const COMMIT_MARK = ".commit";
/** While this file is there, none of the others counts: they are being taken away. */
export const LEAVE_MARK = ".leave";
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o400;
const MOST_BYTES = 65536;
/** A set that changes while it is read is read again; one that goes on changing is somebody's play. */
const MOST_READINGS = 20;

/** Of a directory without any. */
export const NOTHING: CredentialSet = {
  "node.key": undefined,
  pin_derived_key: undefined,
  pin_hash: undefined,
  "cluster.json": undefined,
};

/** Why a directory of credentials is not used, and the shell line or the words that repair it. */
export class CredentialProblem extends Error {
  readonly repair: string;

  constructor(reason: string, repair: string) {
    super(reason);
    this.repair = repair;
  }
}

/** Where the next content of a file waits until all are written. */
export function draftOf(file: CredentialFile): string {
  return `.${file}.next`;
}

/**
 * What the files hold, all from the same writing; undefined where the directory is missing. Never waits, whatever stands
 * in the place of a file. `owner`: the user they have to belong to. Throws CredentialProblem.
 */
export function readCredentialSet(directory: string, owner: number): CredentialSet | undefined {
  const status = statusOf(directory);
  if (status === undefined) return undefined;
  requireRight(directory, status, {
    isRight: status.isDirectory(),
    kind: "directory",
    mode: DIRECTORY_MODE,
    owner,
  });
  let known = readOnce(directory, owner);
  for (let reading = 1; reading < MOST_READINGS; reading++) {
    const again = readOnce(directory, owner);
    if (CREDENTIAL_FILES.every((name) => again[name] === known[name])) return again;
    known = again;
  }
  throw new CredentialProblem(`${directory} changes all the time`, "stop what writes there");
}

function readOnce(directory: string, owner: number): CredentialSet {
  if (statusOf(join(directory, LEAVE_MARK)) !== undefined) return NOTHING;
  const draftsCount = statusOf(join(directory, COMMIT_MARK)) !== undefined;
  const read = (file: CredentialFile) =>
    (draftsCount ? readPrivate(join(directory, draftOf(file)), owner) : undefined) ??
    readPrivate(join(directory, file), owner);
  return {
    "node.key": read("node.key"),
    pin_derived_key: read("pin_derived_key"),
    pin_hash: read("pin_hash"),
    "cluster.json": read("cluster.json"),
  };
}

function readPrivate(path: string, owner: number): string | undefined {
  const named = statusOf(path);
  if (named === undefined) return undefined;
  const judge = (status: Stats) =>
    requireRight(path, status, { isRight: status.isFile(), kind: "file", mode: FILE_MODE, owner });
  judge(named);
  const descriptor = openPrivate(path);
  if (descriptor === undefined) return undefined;
  try {
    // Another may have come to this name since.
    judge(fstatSync(descriptor));
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    const length = readSync(descriptor, bytes);
    if (length > MOST_BYTES) throw new CredentialProblem(`${path} is too large`, restoreWords(path));
    return bytes.toString("latin1", 0, length);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/** A pipe or a device that came to this name would keep a plain open waiting. */
function openPrivate(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function requireRight(
  path: string,
  status: Stats,
  wanted: { isRight: boolean; kind: "directory" | "file"; mode: number; owner: number },
): void {
  const word = quoteForShell(path);
  if (!wanted.isRight) {
    const found = status.isSymbolicLink() ? "a symbolic link" : "of another kind";
    throw new CredentialProblem(
      `${path} is ${found}, must be a ${wanted.kind}`,
      `mv ${word} ${quoteForShell(`${path}.aside`)}`,
    );
  }
  if (status.uid !== wanted.owner)
    throw new CredentialProblem(
      `${path} belongs to uid ${status.uid}, must belong to ${wanted.owner}`,
      `chown ${wanted.owner} ${word}`,
    );
  if ((status.mode & 0o777) !== wanted.mode)
    throw new CredentialProblem(
      `${path} is ${octal(status.mode & 0o777)}, must be ${octal(wanted.mode)}`,
      `chmod ${octal(wanted.mode)} ${word}`,
    );
}

/** The words that repair a file which only a copy of it replaces. */
export function restoreWords(path: string): string {
  return `bring ${path} back from a backup`;
}

function unreadable(path: string, error: unknown): CredentialProblem {
  if (error instanceof CredentialProblem) return error;
  return new CredentialProblem(`${path} cannot be read (${systemErrorCode(error)})`, "claviger doctor --fix");
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

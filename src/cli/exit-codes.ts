import { AppError, StartError } from "#platform/lib/error.ts";

/**
 * What the command's exit status says, after sysexits(3) from 64 up; these numbers are part of the interface.
 * 0 done, 1 the answer is no or the work failed, 2 the given value was refused, 3 the PIN is wrong, 4 joining is closed,
 * 64 wrong use of the command, 65 the input is wrong, 69 no server is running, 73 a file cannot be created, 75 refused for
 * now (try again), 76 another server answers than the one that is meant, 77 not permitted, 78 the configuration or the
 * data directory is wrong. `EXIT_MEANINGS` says more of each.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  refusedValue: 2,
  wrongPin: 3,
  joiningClosed: 4,
  usage: 64,
  data: 65,
  notRunning: 69,
  cannotCreate: 73,
  tryAgain: 75,
  wrongServer: 76,
  notPermitted: 77,
  configuration: 78,
} as const;

/** What each status says, for docs/exit-codes.md and the manual page. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "Done. `serve`: stopped by a signal, and every answer ended or was cut at the drain timeout.",
  failed:
    "The answer is no (`api-key validate`: the key does not fit; `doctor`: something is left; `audit verify`: a record was tampered with; `cluster lock`: a node has no server key), or the work failed.",
  refusedValue: "The given value is refused (`api-key validate`: the hash; `cluster`: the PIN or the URL).",
  wrongPin: "`cluster join`: the PIN is not the cluster's.",
  joiningClosed: "`cluster join`: joining is closed on the member that was asked.",
  usage: "Wrong use of the command, or a secret that was asked for was not given.",
  data: "The input is wrong: a name that is taken, an id that does not exist, text that is not UTF-8, a damaged or foreign backup.",
  notRunning: "No server runs on the data directory, or none answers at the URL.",
  cannotCreate:
    "The data directory or a file cannot be created or written, or is there already and not to be replaced.",
  tryAgain:
    "Refused for now: the server is locked, the disk is full, the address or the data directory is in use, no answer in time; `cluster lock`, `reset-pin --propagate`: not every node could be reached.",
  wrongServer:
    "Another server answers than the one that is meant: its certificate is not trusted or not the pinned one.",
  notPermitted:
    "This user may not open the control socket, others may read the key's file, the caller lacks the permission, or the server key or a backup's password is wrong.",
  configuration: "The configuration, the environment or the data directory is wrong; nothing was changed.",
};

/** What the server said was wrong, as RFC 9457 lays it out; `code` is one of the published error codes. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string | undefined;
}

/** A problem a command ends with: what is wrong, the line that repairs it, and the server's words if it spoke. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly repair: string | undefined;
  readonly problem: Problem | undefined;

  constructor(
    message: string,
    options: { exitCode: number; repair?: string; problem?: Problem; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode;
    this.repair = options.repair;
    this.problem = options.problem;
  }
}

/** The exit status for an HTTP status of 400 and above. */
export function exitCodeOfStatus(status: number): number {
  if (status === 401 || status === 403) return EXIT.notPermitted;
  if (status === 408 || status === 429) return EXIT.tryAgain;
  // Only a configuration that was refused is answered so.
  if (status === 422) return EXIT.configuration;
  if (status < 500) return EXIT.data;
  return status === 500 ? EXIT.failed : EXIT.tryAgain;
}

/** The exit status for anything thrown; what no one foresaw is 1. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError || error instanceof StartError) return error.exitCode;
  if (error instanceof AppError) return exitCodeOfStatus(error.status);
  return EXIT.failed;
}

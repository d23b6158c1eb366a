import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { streamFromServer } from "../control-client.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";
import type { BackupFlags } from "./backup.ts";
import { pipeBackup, refuseExisting, writeBackup } from "./backup-file.ts";
import { backUpOffline } from "./backup-offline.ts";
import { serverMeant } from "./local-server.ts";

/** A large store is copied before the first byte comes. */
const WAIT_MS = 600_000;

/** Writes a backup to `file`. CliError, StartError 75; then there is no file, or the one that was there. */
export async function runBackup(context: CommandContext, file: string, flags: BackupFlags): Promise<void> {
  refuseExisting(file, flags);
  const password = flags.password === true ? await askNewPassword() : undefined;
  try {
    const source = await open(context, flags, password);
    if (file === "-") return await pipeBackup(source);
    const facts = await writeBackup(file, source, password);
    context.output().result({ file, ...facts }, () => `backup of ${facts.created} written to ${file}`);
  } catch (error) {
    if (!isPasswordMissing(error)) throw error;
    throw new CliError(error.message, {
      exitCode: EXIT.data,
      repair: "give it one: claviger backup --password FILE",
    });
  }
}

async function open(
  context: CommandContext,
  flags: BackupFlags,
  password: Secret | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const withConfig = flags.withConfig === true;
  const place = await serverMeant(context, flags);
  const body = password && { password: password.expose(), with_config: withConfig };
  const call = { method: body === undefined ? "GET" : "POST", path: "/api/v1/backup", body } as const;
  try {
    return await streamFromServer({ ...place, ...call, deadlineMs: WAIT_MS });
  } catch (error) {
    const noServer = error instanceof CliError && error.exitCode === EXIT.notRunning;
    if (!noServer || !("socketPath" in place)) throw error;
    return backUpOffline(context, flags, { password, withConfig });
  }
}

/** Typed twice where it is typed: nobody finds out what it was later. */
async function askNewPassword(): Promise<Secret> {
  const asked = { input: process.stdin, isTerminal: process.stdin.isTTY === true };
  const password = await readSecret({ label: "Password of the backup", ...asked });
  if (!asked.isTerminal) return password;
  const again = await readSecret({ label: "The same again", ...asked });
  if (again.expose() === password.expose()) return password;
  throw new CliError("the two passwords differ; nothing was written", { exitCode: EXIT.usage });
}

function isPasswordMissing(error: unknown): error is CliError | AppError {
  if (error instanceof AppError) return error.code === "password_required";
  return error instanceof CliError && error.problem?.code === "password_required";
}

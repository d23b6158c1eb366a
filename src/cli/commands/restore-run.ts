import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedConfig, loadConfig } from "#platform/config/load.ts";
import { loadAuditSecret } from "#platform/config/secrets.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import { systemRandom } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { takeDirectoryLock } from "#platform/storage/directory-lock.ts";
import { BackupProblem, type OpenedBackup, openBackup } from "#vault/backup/index.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";
import { cannotWrite, openSource } from "./backup-file.ts";
import type { RestoreFlags } from "./restore.ts";
import { hasStore, makeDataDirectory, noteInAudit } from "./restore-directory.ts";
import { describeRehearsal, describeRestored } from "./restore-report.ts";
import { restoreValues } from "./restore-values.ts";

/** Restores `file`, or only checks it. CliError 64, 65, 73, 77, StartError 75: then all is as it was. */
export async function runRestore(context: CommandContext, file: string, flags: RestoreFlags): Promise<void> {
  const { dataDir, configDir } = flags;
  const places = {
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(configDir === undefined ? {} : { configDir }),
  };
  const config = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  const source = openSource(file);
  try {
    if (flags.dryRun === true) await rehearse(context, source, flags);
    else
      await audited(config.dataDir, async () => {
        if (flags.only === undefined) await restore(context, source, { config, flags });
        else await restoreOnly(context, source, { config, flags });
      });
  } catch (error) {
    throw toCliError(error, file);
  } finally {
    source.destroy();
  }
}

async function rehearse(
  context: CommandContext,
  source: AsyncIterable<Uint8Array>,
  flags: RestoreFlags,
): Promise<void> {
  const backup = await openBackup(source);
  const password = await askPassword(backup, flags);
  const directory = mkdtempSync(join(tmpdir(), "claviger-restore-"));
  try {
    const files = await backup.unpack(password, directory);
    const { file_key: _, ...facts } = backup.header;
    context.output().result({ ...facts, files }, () => describeRehearsal(facts, files));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function restore(
  context: CommandContext,
  source: AsyncIterable<Uint8Array>,
  { config, flags }: { config: LoadedConfig; flags: RestoreFlags },
): Promise<void> {
  const { dataDir } = config;
  if (hasStore(dataDir) && flags.force !== true)
    throw new CliError(`${dataDir} holds a store already; nothing was changed`, {
      exitCode: EXIT.cannotCreate,
      repair: "to replace it, and keep it aside: --force; or name another: --data-dir DIR",
    });
  const backup = await openBackup(source);
  const password = await askPassword(backup, flags);
  const undo = makeDataDirectory(config);
  try {
    const lock = takeDirectoryLock(join(dataDir, "db", "lock.sqlite"));
    try {
      const done = await backup.restore(password, partsOf(config, flags));
      const { created, server_key: serverKey } = backup.header;
      context
        .output()
        .result({ created, server_key: serverKey, ...done }, () =>
          describeRestored(dataDir, backup.header, done),
        );
    } finally {
      lock.close();
    }
  } catch (error) {
    undo();
    throw error;
  }
}

async function restoreOnly(
  context: CommandContext,
  source: AsyncIterable<Uint8Array>,
  { config: { dataDir }, flags }: { config: LoadedConfig; flags: RestoreFlags },
): Promise<void> {
  if (!hasStore(dataDir))
    throw new CliError(`there is no store in ${dataDir} to put a value back into`, {
      exitCode: EXIT.data,
      repair: "name its data directory: --data-dir DIR; or restore the backup as a whole, without --only",
    });
  const lock = takeDirectoryLock(join(dataDir, "db", "lock.sqlite"));
  try {
    const backup = await openBackup(source);
    const password = await askPassword(backup, flags);
    await restoreValues(context, { backup, password }, { dataDir, wanted: flags.only ?? [] });
  } finally {
    lock.close();
  }
}

function partsOf(
  { dataDir, configDirRule }: LoadedConfig,
  flags: RestoreFlags,
): Parameters<OpenedBackup["restore"]>[1] {
  return {
    dataDir,
    config: configDirRule === "data-dir" ? "in-place" : "aside",
    clock: systemClock,
    auditSecret: () => loadAuditSecret({ dataDir, random: systemRandom }),
    revokeKeys: flags.revokeKeys === true,
  };
}

async function askPassword(
  { header }: OpenedBackup,
  { password }: RestoreFlags,
): Promise<Secret | undefined> {
  if (header.file_key.kind !== "password" && password !== true) return undefined;
  return readSecret({
    label: "Password of the backup",
    input: process.stdin,
    isTerminal: process.stdin.isTTY === true,
  });
}

/** A failed one is written down in the store that is there, if there is one; it stays as it was. */
async function audited(dataDir: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (hasStore(dataDir)) noteInAudit(dataDir, { action: "key.restore", target: null, outcome: "failure" });
    throw error;
  }
}

function toCliError(error: unknown, file: string): unknown {
  if (error instanceof CliError || error instanceof StartError) return error;
  if (error instanceof BackupProblem) return backupProblem(error, file);
  if (error instanceof Error && "path" in error && error.path === file)
    return new CliError(`${file} cannot be read (${error.message})`, { exitCode: EXIT.data, cause: error });
  return cannotWrite(error) ?? error;
}

function backupProblem(error: BackupProblem, file: string): CliError {
  const message = `${file}: ${error.message}; nothing was changed`;
  switch (error.kind) {
    case "wrong_password":
      return new CliError(message, { exitCode: EXIT.notPermitted, cause: error });
    case "no_password":
    case "needless_password":
      return new CliError(message, { exitCode: EXIT.usage, cause: error });
    case "value":
      return new CliError(`${error.message}; nothing was changed`, {
        exitCode: EXIT.data,
        cause: error,
        ...(error.repair === undefined ? {} : { repair: error.repair }),
      });
    case "foreign":
    case "newer":
    case "damaged":
      return new CliError(message, { exitCode: EXIT.data, cause: error });
    default:
      return error.kind satisfies never;
  }
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type LoadedConfig, loadConfig } from "#platform/config/load.ts";
import { checkModes, repairModes, type WrongMode } from "#platform/config/modes.ts";
import { loadProcessSecrets, PROCESS_SECRETS } from "#platform/config/secrets.ts";
import { quoteForShell } from "#platform/config/shell-quote.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { fingerprint } from "#platform/lib/fingerprint.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { probeFilesystem } from "#platform/storage/filesystem.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type ClusterFault, clusterFault } from "./doctor-cluster.ts";
import { type MissingCredential, missingCredentials } from "./doctor-credentials.ts";
import { serverKeyCalls } from "./key-calls.ts";

const MEGABYTE = 1_000_000;

interface DoctorFlags {
  readonly dataDir?: string;
  readonly configDir?: string;
  readonly fix?: boolean;
  readonly acceptNewSecret?: string;
}

/**
 * `claviger doctor`: modes and owners of the data directory, which `--fix` repairs, the cluster's credentials, and those
 * that providers of the configuration file lack; with or without a server. Exit status 1 when something is left.
 */
export function doctorCommand(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description(
      "check the data directory, the cluster's and the providers' credentials, and repair what can be",
    )
    .option("--data-dir <dir>", "the server's data directory")
    .option("--config-dir <dir>", "the configuration directory")
    .option("--fix", "repair modes and owners")
    .option(
      "--accept-new-secret <name>",
      "take JWT_SECRET or API_KEY_SECRET as it is now; the server must not run",
    )
    .option("--json", "print JSON")
    .action(async (flags: DoctorFlags) => {
      const { fix, acceptNewSecret, ...places } = flags;
      const config = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
      if (acceptNewSecret !== undefined) return acceptSecret(context, config, acceptNewSecret);
      const running = { uid: process.getuid?.() ?? 0 };
      const wrong = fix === true ? repairModes(config, running) : checkModes(config, running);
      await tellOfLock(context, config.dataDir);
      const disk = fullDisk(config);
      if (disk !== undefined) context.output().note(disk);
      if (!existsSync(config.dataDir)) context.output().note(`${config.dataDir} does not exist yet`);
      const { missing, notes } = await missingCredentials(context, config, places);
      for (const note of notes) context.output().note(note);
      const cluster = await clusterFault(config);
      const ok = wrong.length === 0 && missing.length === 0 && cluster === undefined;
      if (!ok) context.setExit(EXIT.failed);
      context
        .output()
        .result({ ok, problems: wrong, missing_credentials: missing, cluster: cluster ?? null }, () =>
          [
            ...reportModes(config.dataDir, wrong, fix === true),
            ...reportCluster(cluster),
            ...missing.map(toLine),
          ].join("\n"),
        );
    });
}

function toLine({ provider, problem }: MissingCredential): string {
  return `provider ${provider}: ${problem}`;
}

function reportCluster(fault: ClusterFault | undefined): string[] {
  if (fault === undefined) return [];
  return [`The cluster's routes are closed: ${fault.problem}\n  ${fault.repair}`];
}

/** A note: nothing of it is for the doctor to repair. */
function fullDisk({ dataDir, settings }: LoadedConfig): string | undefined {
  if (!existsSync(dataDir)) return undefined;
  const { freeBytes } = probeFilesystem(dataDir);
  const lowBytes = settings.disk_low_mb * MEGABYTE;
  if (freeBytes >= lowBytes) return undefined;
  return `${Math.floor(freeBytes / MEGABYTE)} MB are free for ${dataDir}, less than disk_low_mb (${settings.disk_low_mb}): changes are refused; make room`;
}

/** Nothing where no server runs: the directory can be right all the same. */
async function tellOfLock(context: CommandContext, dataDir: string): Promise<void> {
  const calls = serverKeyCalls(context, { dataDir });
  const status = await calls.status().catch(() => undefined);
  if (status?.unlocked !== false) return;
  const named = `--data-dir ${quoteForShell(dataDir)}`;
  context.output().note(`the server is locked; unlock it with: claviger key unlock ${named}`);
}

function reportModes(dataDir: string, wrong: readonly WrongMode[], fixed: boolean): string[] {
  if (wrong.length === 0) return [`${dataDir}: modes and owners are as they should be`];
  const lines = wrong.map(
    ({ path, found, wanted, repair }) => `${path} is ${found}, must be ${wanted}\n  ${repair}`,
  );
  return [
    ...lines,
    fixed
      ? "These could not be repaired here."
      : `Repair modes and owners with: claviger doctor --fix --data-dir ${quoteForShell(dataDir)}`,
  ];
}

async function acceptSecret(context: CommandContext, config: LoadedConfig, name: string): Promise<void> {
  const known = PROCESS_SECRETS.find((candidate) => candidate === name);
  if (known === undefined)
    throw new CliError(`${name} is not a secret of this server`, {
      exitCode: EXIT.usage,
      repair: `one of ${PROCESS_SECRETS.join(", ")}`,
    });
  if (!existsSync(join(config.dataDir, "db", "data.sqlite")))
    throw new CliError(`there is no store in ${config.dataDir}, so no secret to accept`, {
      exitCode: EXIT.data,
      repair: "name its data directory: --data-dir DIR",
    });
  // Only here: no other command of this machine opens the store.
  const [{ openSqlite }, { writeMeta }] = await Promise.all([
    import("#platform/storage/sqlite.ts"),
    import("#platform/storage/meta.ts"),
  ]);
  await using database = await openSqlite({ dataDir: config.dataDir, clock: systemClock, config });
  const secrets = loadProcessSecrets({
    given: config.secrets,
    dataDir: config.dataDir,
    random: systemRandom,
  });
  const secret = secrets.get(known);
  if (secret === undefined) throw new CliError(`${name} is not set`, { exitCode: EXIT.configuration });
  await database.transaction((query) =>
    writeMeta(query, "fingerprint.", new Map([[name, fingerprint(known, secret)]])),
  );
  context.output().result({ accepted: name }, () => `${name} is accepted as it is now`);
}

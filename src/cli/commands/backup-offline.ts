import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LoadedConfig, loadConfig } from "#platform/config/load.ts";
import { loadProcessSecrets } from "#platform/config/secrets.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { takeDirectoryLock } from "#platform/storage/directory-lock.ts";
import { finishReplacement } from "#platform/storage/replacement.ts";
import { prepareBackup } from "#vault/backup/index.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";
import { noteInAudit } from "./restore-directory.ts";

/** A backup of a data directory on which no server runs, for as long as it is read. CliError 69 where there is no store. */
export async function* backUpOffline(
  context: CommandContext,
  flags: LocalFlags,
  wanted: { readonly password: Secret | undefined; readonly withConfig: boolean },
): AsyncGenerator<Uint8Array> {
  const places = flags.dataDir === undefined ? {} : { dataDir: flags.dataDir };
  const config = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  const { dataDir } = config;
  if (!existsSync(join(dataDir, "db", "data.sqlite")))
    throw new CliError(`there is no store in ${dataDir}, and no server runs on it`, {
      exitCode: EXIT.notRunning,
      repair: "name its data directory: --data-dir DIR",
    });
  const lock = takeDirectoryLock(join(dataDir, "db", "lock.sqlite"));
  try {
    finishReplacement(dataDir);
    await using prepared = await prepareBackup(partsOf(config), wanted);
    noteInAudit(dataDir, { action: "key.backup", target: null, outcome: "success" });
    yield* prepared.stream();
  } finally {
    lock.close();
  }
}

function partsOf(config: LoadedConfig): Parameters<typeof prepareBackup>[0] {
  const { dataDir } = config;
  return {
    dataDir,
    config,
    apiKeySecret: () => {
      const secrets = loadProcessSecrets({ given: config.secrets, dataDir, random: systemRandom });
      const secret = secrets.get("API_KEY_SECRET");
      if (secret === undefined) throw new Error("API_KEY_SECRET was not settled");
      return secret;
    },
    clock: systemClock,
    random: systemRandom,
  };
}

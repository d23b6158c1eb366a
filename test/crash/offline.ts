import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createLayout } from "#platform/config/layout.ts";
import { loadAuditSecret, loadProcessSecrets } from "#platform/config/secrets.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { takeDirectoryLock } from "#platform/storage/directory-lock.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { openContainer, prepareBackup, restoreBackup } from "#vault/backup/index.ts";
import { configOf } from "./subject.ts";

/** Writes the backup of a data directory on which no server runs. */
export async function writeBackup(dataDir: string, file: string): Promise<void> {
  const config = configOf(dataDir);
  const random = systemRandom;
  const apiKeySecret = () => {
    const secret = loadProcessSecrets({ given: config.secrets, dataDir, random }).get("API_KEY_SECRET");
    if (secret === undefined) throw new Error("there is no API_KEY_SECRET");
    return secret;
  };
  const parts = { dataDir, config, apiKeySecret, clock: new FakeClock(), random };
  await using prepared = await prepareBackup(parts, { password: undefined, withConfig: false });
  await writeFile(file, prepared.stream());
}

/** Puts a backup in the place of what a data directory holds, as the command does. */
export async function restore(dataDir: string, { backup }: { readonly backup: string }): Promise<void> {
  createLayout(configOf(dataDir));
  const container = await openContainer(createReadStream(backup));
  const lock = takeDirectoryLock(path.join(dataDir, "db", "lock.sqlite"));
  try {
    await restoreBackup(container, undefined, {
      dataDir,
      config: "in-place",
      clock: new FakeClock(),
      auditSecret: () => loadAuditSecret({ dataDir, random: seededRandom(9) }),
      revokeKeys: false,
    });
  } finally {
    lock.close();
  }
}

import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { noteInAudit } from "#cli/commands/restore-directory.ts";
import { createLayout } from "#platform/config/layout.ts";
import { loadAuditSecret, loadProcessSecrets } from "#platform/config/secrets.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { takeDirectoryLock } from "#platform/storage/directory-lock.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { openBackup, prepareBackup } from "#vault/backup/index.ts";
import { SEALED_COLUMNS } from "../../src/app/sealed-columns.ts";
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
  const opened = await openBackup(createReadStream(backup));
  const lock = takeDirectoryLock(path.join(dataDir, "db", "lock.sqlite"));
  try {
    await opened.restore(undefined, {
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

/** Puts single values of a backup back into a store, as the command does. */
export async function putValuesBack(dataDir: string, { backup }: { readonly backup: string }): Promise<void> {
  const opened = await openBackup(createReadStream(backup));
  const lock = takeDirectoryLock(path.join(dataDir, "db", "lock.sqlite"));
  const wanted = ["named-0", "named-1"].map((id) => ({ table: "named_credential", id }));
  const record = () =>
    noteInAudit(dataDir, { action: "key.restore", target: "named_credential", outcome: "success" });
  try {
    await opened.putValuesBack(undefined, wanted, { dataDir, sealed: SEALED_COLUMNS, record });
  } finally {
    lock.close();
  }
}

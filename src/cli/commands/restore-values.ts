import type { Secret } from "#platform/lib/secret.ts";
import type { OpenedBackup } from "#vault/backup/index.ts";
import { SEALED_COLUMNS } from "../../app/sealed-columns.ts";
import type { CommandContext } from "../command-context.ts";
import type { RestoreFlags } from "./restore.ts";
import { noteInAudit } from "./restore-directory.ts";

type PutBack = Awaited<ReturnType<OpenedBackup["putValuesBack"]>>;

/** `restore --only`: puts single values of a backup back into a store that is this process's alone. Throws BackupProblem. */
export async function restoreValues(
  context: CommandContext,
  { backup, password }: { readonly backup: OpenedBackup; readonly password: Secret | undefined },
  { dataDir, wanted }: { readonly dataDir: string; readonly wanted: NonNullable<RestoreFlags["only"]> },
): Promise<void> {
  const { created } = backup.header;
  const record = () => {
    for (const { table, id } of wanted) {
      const target = `${table}/${id} of the backup of ${created}`;
      noteInAudit(dataDir, { action: "key.restore", target, outcome: "success" });
    }
  };
  const done = await backup.putValuesBack(password, wanted, {
    dataDir,
    sealed: SEALED_COLUMNS,
    record,
  });
  context
    .output()
    .result({ created, server_key: done.serverKey, restored: done.values }, () => describe(created, done));
}

function describe(created: string, { values, serverKey }: PutBack): string {
  return [
    ...values.map(({ table, id, changed }) =>
      changed
        ? `${table}/${id} is as it was in the backup of ${created}.`
        : `${table}/${id} was the same in the backup of ${created}; where it does not open, take an older one.`,
    ),
    serverKey === "uninitialized"
      ? "Start the server; no server key is set, so it opens by itself."
      : `Start the server, unlock it with its server key (${serverKey}), and repair: claviger key rotate, with that key as the current and as the new one.`,
  ].join("\n");
}

export { Backups } from "./backups.ts";
export { openContainer } from "./container/container.ts";
export { BackupProblem } from "./container/problem.ts";
export { prepareBackup } from "./make-backup.ts";
export { restoreBackup } from "./restore.ts";
export { awaitsApiKeySecret } from "./restored-store.ts";
export { backupRoutes } from "./routes/backup-routes.ts";
export { settleTravellingSecret, TRAVELLING_SECRETS } from "./travelling-secret.ts";
export { unpackBackup } from "./unpack.ts";

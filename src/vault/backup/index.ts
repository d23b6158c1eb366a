export { Backups } from "./backups.ts";
export { BackupProblem } from "./container/problem.ts";
export { prepareBackup } from "./make-backup.ts";
export { type OpenedBackup, openBackup } from "./opened-backup.ts";
export { awaitsApiKeySecret } from "./restored-store.ts";
export { backupRoutes } from "./routes/backup-routes.ts";
export { settleTravellingSecret, TRAVELLING_SECRETS } from "./travelling-secret.ts";

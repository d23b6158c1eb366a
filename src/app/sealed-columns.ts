import { TRAVELLING_SECRETS } from "#vault/backup/index.ts";
import { SEALED_CREDENTIALS } from "#vault/credentials/index.ts";
import type { SealedColumn } from "#vault/seal/index.ts";

/** Every column that holds sealed values: one that is missing here is lost with the next rotation of the server key. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [...SEALED_CREDENTIALS, TRAVELLING_SECRETS];

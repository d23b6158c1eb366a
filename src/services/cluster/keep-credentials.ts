import type { AuditRecorder } from "#gates/audit/index.ts";
import { systemErrorCode } from "#platform/config/bounded-text.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import {
  type ClusterCredentials,
  readCredentials,
  type StoredCredentials,
  writeCredentials,
} from "./credential-files.ts";
import { removeCredentialSet } from "./write-credential-set.ts";

/** What credentials are written with. */
interface KeepingParts {
  /** `credentials/` of the configuration directory. */
  readonly directory: string;
  readonly database: Pick<Database, "transaction">;
  readonly audit: Pick<AuditRecorder, "append">;
}

/**
 * Writes credentials with their record, and what else `record` writes, or nothing: within the record's transaction, and
 * where that fails those before are back, or none. Throws AppError `storage_full`, `cluster_closed`, and what the store
 * throws.
 */
export async function keepCredentials(
  { directory, database, audit }: KeepingParts,
  credentials: ClusterCredentials,
  how: {
    readonly by: ChangeAuthor;
    readonly action: string;
    readonly record?: (query: Query) => Promise<void>;
  },
): Promise<void> {
  const { by, action, record } = how;
  const before = readCredentials(directory);
  const { principal, address, requestId } = by;
  const entry = { actor: callerId(principal), action, target: credentials.clusterId } as const;
  let written = false;
  try {
    await database.transaction(async (query) => {
      await audit.append(query, { ...entry, outcome: "success", address, requestId, count: 1 });
      await record?.(query);
      write(directory, credentials);
      written = true;
    });
  } catch (error) {
    if (written) undo(directory, before);
    throw error;
  }
}

/** Damaged files are no better than those that were to take their place. */
function undo(directory: string, before: StoredCredentials): void {
  if (before.status === "none") removeCredentialSet(directory);
  if (before.status === "member") writeCredentials(directory, before.credentials);
}

function write(directory: string, credentials: ClusterCredentials): void {
  try {
    writeCredentials(directory, credentials);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "ENOSPC" || code === "EDQUOT") throw new AppError("storage_full", undefined, { cause });
    const words = `The credential files cannot be written (${code}).`;
    throw new AppError("cluster_closed", words, { detail: directory, cause });
  }
}

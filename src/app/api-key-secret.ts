import { putProcessSecret } from "#platform/config/secrets.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { settleTravellingSecret } from "#vault/backup/index.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { Workers } from "./workers/workers.ts";

/** `API_KEY_SECRET` as it is in force: another takes its place when a restored server is unlocked for the first time. */
export class ApiKeySecret {
  readonly fromEnvironment: boolean;
  #secret: Secret;

  constructor(secret: Secret, { fromEnvironment }: { fromEnvironment: boolean }) {
    this.#secret = secret;
    this.fromEnvironment = fromEnvironment;
  }

  get secret(): Secret {
    return this.#secret;
  }

  replace(secret: Secret): void {
    this.#secret = secret;
  }
}

/** What is to be done whenever the seal is open, before a request is let through: the secret's sealed copy is kept, or comes. */
export function travelWithStore(parts: {
  readonly database: Database;
  readonly seal: Seal;
  readonly apiKeySecret: ApiKeySecret;
  readonly dataDir: string;
  readonly workers: Pick<Workers, "apiKeySecret">;
  readonly log: Log;
}): () => Promise<void> {
  const { apiKeySecret, dataDir, workers, log } = parts;
  const take = async (arrived: Secret) => {
    await putProcessSecret(dataDir, "API_KEY_SECRET", arrived);
    apiKeySecret.replace(arrived);
    await workers.apiKeySecret(arrived);
  };
  return async () => {
    try {
      const arrival = await settleTravellingSecret(parts, apiKeySecret, take);
      if (arrival === "arrived") log.info({}, "API_KEY_SECRET came back from the backup; clients' keys work");
      if (arrival === "other") log.warn({}, OTHER);
    } catch (error) {
      // The server is of use without it, and the next unlock tries again.
      const detail = error instanceof Error ? error.message : "";
      log.error({ detail }, "the sealed copy of API_KEY_SECRET could not be kept or brought back");
    }
  };
}

const OTHER =
  "API_KEY_SECRET of the environment is not the one the restored keys were made with, so those are refused; unset it and " +
  "start again to have that one back, or keep it: claviger doctor --accept-new-secret API_KEY_SECRET";

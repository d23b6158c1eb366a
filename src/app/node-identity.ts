import { removeDrafts } from "#platform/config/drafts.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { loadAuditSecret, loadProcessSecrets, verifyFingerprints } from "#platform/config/secrets.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";
import { beginFirstRun } from "#services/control/index.ts";
import { awaitsApiKeySecret } from "#vault/backup/index.ts";
import { ApiKeySecret } from "./api-key-secret.ts";

/**
 * The process secrets, checked against the fingerprints of the store, and the node's id; what a fresh store lacks is
 * made, and what a start that was cut off left half-made is removed. Throws StartError when a secret is not the one the
 * store was made with.
 */
export async function settleIdentity(
  database: Database,
  config: LoadedConfig,
  random: Random,
): Promise<{
  apiKeySecret: ApiKeySecret;
  auditSecret: Secret;
  jwtSecret: Secret;
  fresh: boolean;
  nodeId: string;
}> {
  removeDrafts(config.dataDir);
  const secrets = loadProcessSecrets({ given: config.secrets, dataDir: config.dataDir, random });
  const auditSecret = loadAuditSecret({ dataDir: config.dataDir, random });
  const facts = await readMeta(database.query, "node.");
  // In a store that was restored the right one lies sealed, until the first unlock.
  const judged = new Map(secrets);
  if (await awaitsApiKeySecret(database.query)) judged.delete("API_KEY_SECRET");
  const nodeId = facts.get("id") ?? newId("node", random);
  await database.transaction(async (query) => {
    const missing = verifyFingerprints({ stored: await readMeta(query, "fingerprint."), secrets: judged });
    await writeMeta(query, "fingerprint.", missing);
    if (facts.has("id")) return;
    await writeMeta(query, "node.", new Map([["id", nodeId]]));
    await beginFirstRun(query);
  });
  const secret = secrets.get("API_KEY_SECRET");
  const jwtSecret = secrets.get("JWT_SECRET");
  if (secret === undefined || jwtSecret === undefined) throw new Error("a secret was not settled");
  const apiKeySecret = new ApiKeySecret(secret, { fromEnvironment: config.secrets.has("API_KEY_SECRET") });
  return { apiKeySecret, auditSecret, jwtSecret, fresh: !facts.has("id"), nodeId };
}

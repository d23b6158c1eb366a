import { removeDrafts } from "#platform/config/drafts.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { loadProcessSecrets, verifyFingerprints } from "#platform/config/secrets.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";

/**
 * What a start that was cut off left of drafts goes. The process secrets, checked against the fingerprints of the store, and the node's id; what a fresh store lacks is
 * made. Throws StartError when a secret is not the one the store was made with.
 */
export async function settleIdentity(
  database: Database,
  config: LoadedConfig,
  random: Random,
): Promise<{ apiKeySecret: Secret; fresh: boolean; nodeId: string }> {
  removeDrafts(config.dataDir);
  const secrets = loadProcessSecrets({ given: config.secrets, dataDir: config.dataDir, random });
  const facts = await readMeta(database.query, "node.");
  const nodeId = facts.get("id") ?? newId("node", random);
  await database.transaction(async (query) => {
    const missing = verifyFingerprints({ stored: await readMeta(query, "fingerprint."), secrets });
    await writeMeta(query, "fingerprint.", missing);
    if (!facts.has("id")) await writeMeta(query, "node.", new Map([["id", nodeId]]));
  });
  const apiKeySecret = secrets.get("API_KEY_SECRET");
  if (apiKeySecret === undefined) throw new Error("API_KEY_SECRET was not settled");
  return { apiKeySecret, fresh: !facts.has("id"), nodeId };
}

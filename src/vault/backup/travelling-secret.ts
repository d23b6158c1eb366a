import { fingerprint } from "#platform/lib/fingerprint.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { readMeta } from "#platform/storage/meta.ts";
import type { Place, Seal, SealedColumn } from "#vault/seal/index.ts";
import { apiKeySecretArrived, awaitsApiKeySecret } from "./restored-store.ts";
import { putTravellingSecret, travellingSecret } from "./store.ts";

const NAME = "API_KEY_SECRET";
const PLACE: Place = { table: "travelling_secret", column: "sealed", key: NAME };

/** Where copies of process secrets lie sealed. */
export const TRAVELLING_SECRETS: SealedColumn = {
  table: "travelling_secret",
  column: "sealed",
  key: "name",
  writtenWith: [],
};

/**
 * `kept`: the copy is that of the secret in force. `arrived`: a restored store brought another, which is in force now.
 * `other`: it brought another, and the environment does not let it in.
 */
type Arrival = "kept" | "arrived" | "other";

/**
 * To be called whenever the seal is open: keeps a sealed copy of API_KEY_SECRET in the store, for backups, or, in a
 * store that was restored, gives `take` the one that came with it, to put in force before the store forgets that it came.
 */
export async function settleTravellingSecret(
  parts: { readonly database: Database; readonly seal: Seal },
  inForce: { readonly secret: Secret; readonly fromEnvironment: boolean },
  take: (arrived: Secret) => Promise<void>,
): Promise<Arrival> {
  const { database, seal } = parts;
  const { query } = database;
  if (!(await awaitsApiKeySecret(query))) {
    await keepCopy(database, seal, inForce.secret);
    return "kept";
  }
  const arrived = await openCopy(query, seal);
  const known = (await readMeta(query, "fingerprint.")).get(NAME);
  if (known === fingerprint(NAME, inForce.secret) || arrived === undefined) {
    await database.transaction(apiKeySecretArrived);
    return "kept";
  }
  if (inForce.fromEnvironment) return "other";
  await take(arrived);
  await database.transaction(apiKeySecretArrived);
  return "arrived";
}

/** Written only where it is not the same already: every value sealed is another one in every backup. */
async function keepCopy(database: Database, seal: Seal, secret: Secret): Promise<void> {
  // A damaged copy is made anew.
  const copy = await openCopy(database.query, seal).catch(() => undefined);
  if (copy?.expose() === secret.expose()) return;
  await database.transaction((query) =>
    putTravellingSecret(query, { name: NAME, sealed: seal.sealValue(PLACE, secret) }),
  );
}

async function openCopy(query: Query, seal: Seal): Promise<Secret | undefined> {
  const sealed = await travellingSecret(query, NAME);
  if (sealed === undefined) return undefined;
  const bytes = seal.openValue(PLACE, sealed);
  try {
    return new Secret(bytes.toString("utf8"));
  } finally {
    bytes.fill(0);
  }
}

import { systemClock } from "#platform/lib/clock.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { openTestSeal } from "../test-seal.ts";

/** Puts so many secrets into a data directory that no server has opened yet. */
export async function fillSecrets(dataDir: string, count: number): Promise<void> {
  await using database = await openSqlite({ dataDir, clock: systemClock });
  await using seal = await openTestSeal({ database, dataDir, clock: systemClock });
  const rows = Array.from({ length: count }, (_, at) => {
    const key = `secret-${at}`;
    const sealed = seal.sealValue({ table: "named_credential", column: "sealed", key }, new Secret(key));
    return { name: key, hint: "", sealed, origin: null, proxy: null, created_at: 0, updated_at: 0 };
  });
  await database.insertRows("named_credential", rows);
}

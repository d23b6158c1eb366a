import { createLayout } from "#platform/config/layout.ts";
import { loadConfig } from "#platform/config/load.ts";
import { refuseWrongModes } from "#platform/config/modes.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { CHEAP, openTestSeal } from "#test/test-seal.ts";
import { type Credentials, openCredentials, SEALED_CREDENTIALS } from "#vault/credentials/index.ts";
import type { Seal } from "#vault/seal/index.ts";
import { readDeclared } from "../../src/app/declared/declared.ts";
import { settleIdentity } from "../../src/app/node-identity.ts";

/** All that a server writes into its data directory when it starts and serves, without what it listens on. */
export interface Subject extends AsyncDisposable {
  readonly database: Database;
  readonly seal: Seal;
  readonly credentials: Credentials;
  readonly clock: FakeClock;
}

/** Opens the store and its seal in the order of a start. Throws StartError. */
export async function openSubject(
  dataDir: string,
  random: Random,
  how: { readonly cost?: Argon2Parameters; readonly open?: (clock: Clock) => Promise<Database> } = {},
): Promise<Subject> {
  const clock = new FakeClock();
  const config = configOf(dataDir);
  createLayout(config);
  refuseWrongModes(config, { uid: process.getuid?.() ?? 0 });
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await (how.open?.(clock) ?? openSqlite({ dataDir, clock })));
  await settleIdentity(database, config, random);
  const parts = { database, dataDir, clock, random, sealed: SEALED_CREDENTIALS, cost: how.cost ?? CHEAP };
  const seal = undo.use(await openTestSeal(parts));
  const credentials = openCredentials({ database, seal, clock, random });
  const running = undo.move();
  return {
    database,
    seal,
    credentials,
    clock,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The configuration of a server without a file. */
export function configOf(dataDir: string) {
  return loadConfig({ flags: { dataDir }, env: {}, homeDir: dataDir, resources: readDeclared });
}

/** Stores a provider with one secret, as one change. */
export async function addProvider(subject: Subject, name: string, secret: string): Promise<void> {
  const now = subject.clock.now();
  const base_url = "https://upstream.invalid";
  await subject.database.transaction(async (query) => {
    const row = { id: name, name, kind: "openai-compatible", base_url, options: "{}", position: 0 };
    await query
      .insertInto("provider")
      .values({ ...row, created_at: now, updated_at: now })
      .execute();
    await subject.credentials.replace(query, { providerId: name, origin: base_url }, [new Secret(secret)]);
  });
}

/** Stores a secret of the configuration file's, in place of an older one of its name. */
export async function putNamed(subject: Subject, name: string, secret: string): Promise<void> {
  await subject.database.transaction((query) =>
    subject.credentials.declared.set(query, name, new Secret(secret)),
  );
}

/** Every stored secret in the clear, by its owner's name. Throws when one does not open. */
export async function readSecrets({ database, seal }: Subject): Promise<Map<string, string>> {
  const held = await database.query
    .selectFrom("credential")
    .select(["id", "provider_id as owner", "sealed"])
    .execute();
  const named = await database.query
    .selectFrom("named_credential")
    .select(["name as id", "name as owner", "sealed"])
    .execute();
  const open = (table: string) => (row: (typeof held)[number]) => {
    const place = { table, column: "sealed", key: row.id };
    return [row.owner, seal.openValue(place, row.sealed).toString("utf8")] as const;
  };
  return new Map([...held.map(open("credential")), ...named.map(open("named_credential"))].sort());
}

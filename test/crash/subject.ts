import path from "node:path";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { createLayout } from "#platform/config/layout.ts";
import { loadConfig } from "#platform/config/load.ts";
import { refuseWrongModes } from "#platform/config/modes.ts";
import { putProcessSecret } from "#platform/config/secrets.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { CHEAP } from "#test/test-seal.ts";
import { settleTravellingSecret, TRAVELLING_SECRETS } from "#vault/backup/index.ts";
import { type Credentials, openCredentials, SEALED_CREDENTIALS } from "#vault/credentials/index.ts";
import { openSeal, type Seal } from "#vault/seal/index.ts";
import { readDeclared } from "../../src/app/declared/declared.ts";
import { settleIdentity } from "../../src/app/node-identity.ts";

/** All that a server writes into its data directory when it starts and serves, without what it listens on. */
export interface Subject extends AsyncDisposable {
  readonly database: Database;
  readonly seal: Seal;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** Opens the store and its seal in the order of a start. Throws StartError. */
export async function openSubject(
  dataDir: string,
  random: Random,
  open?: (clock: Clock) => Promise<Database>,
): Promise<Subject> {
  const clock = new FakeClock();
  const config = configOf(dataDir);
  createLayout(config);
  refuseWrongModes(config, { uid: process.getuid?.() ?? 0 });
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await (open?.(clock) ?? openSqlite({ dataDir, clock, config })));
  const { apiKeySecret, auditSecret } = await settleIdentity(database, config, random);
  const directory = path.join(dataDir, "db");
  const audit = openAuditRecorder({ database, clock, secret: auditSecret, directory });
  await audit.start();
  undo.defer(() => audit.close());
  const secretsDir = path.join(dataDir, "secrets");
  const tools = { database, clock, random };
  const sealParts = { secretsDir, sealed: SEALED, audit, log: UNHEARD, cost: CHEAP };
  const seal = undo.use(await openSeal({ ...tools, ...sealParts }));
  const travel = async () => {
    const take = (arrived: Secret) => putProcessSecret(dataDir, "API_KEY_SECRET", arrived);
    await settleTravellingSecret({ database, seal }, apiKeySecret, take);
  };
  seal.onUnlock(travel);
  if (!seal.isLocked()) await travel();
  const credentials = openCredentials({ ...tools, seal });
  const running = undo.move();
  return { database, seal, credentials, clock, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const SEALED = [...SEALED_CREDENTIALS, TRAVELLING_SECRETS];
const UNHEARD = { error: () => {}, warn: () => {} };

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
  const { query } = database;
  const held = await query
    .selectFrom("credential")
    .select(["id", "provider_id as owner", "sealed"])
    .execute();
  const named = await query
    .selectFrom("named_credential")
    .select(["name as id", "name as owner", "sealed"])
    .execute();
  const travelling = await query
    .selectFrom("travelling_secret")
    .select(["name as id", "name as owner", "sealed"])
    .execute();
  const open = (table: string) => (row: (typeof held)[number]) => {
    const place = { table, column: "sealed", key: row.id };
    return [row.owner, seal.openValue(place, row.sealed).toString("utf8")] as const;
  };
  const opened = [
    held.map(open("credential")),
    named.map(open("named_credential")),
    travelling.map(open("travelling_secret")),
  ];
  return new Map(opened.flat().sort());
}

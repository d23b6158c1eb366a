/**
 * Writes the store of this program's version into `test/upgrade/stores/`, for every later version to open:
 * `node tools/write-store.ts`. What it holds are format vectors, no secret of anybody's.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as z from "zod";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { type Answer, type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { OFFLINE } from "#test/offline.ts";
import { storeAsText } from "#test/upgrade/store-text.ts";
import type { Stored } from "#test/upgrade/stored.ts";

const stores = path.join(import.meta.dirname, "../test/upgrade/stores");
const hex = (text: string) => Buffer.from(text).toString("hex");

await write(`${MIGRATIONS.length}`, async () => ({}));
await write(`${MIGRATIONS.length}-with-key`, setServerKey);

/** Something in every table; what `more` does to it is done last. */
async function write(
  name: string,
  more: (claviger: TestClaviger) => Promise<Partial<Stored>>,
): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-store-"));
  try {
    const made = await fill(dataDir, more);
    const secrets = path.join(dataDir, "secrets");
    const files = readdirSync(secrets).map((file) => ({
      name: file,
      text: hex(readFileSync(path.join(secrets, file), "utf8")),
    }));
    const beside = { ...mapValues(made), files };
    writeFileSync(
      path.join(stores, `version-${name}.sql`),
      storeAsText(path.join(dataDir, "db", "data.sqlite")),
    );
    writeFileSync(path.join(stores, `version-${name}.json`), `${JSON.stringify(beside, undefined, 2)}\n`);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

async function fill(
  dataDir: string,
  more: (claviger: TestClaviger) => Promise<Partial<Stored>>,
): Promise<Stored> {
  const options = { dataDir, clock: new FakeClock(), egress: OFFLINE };
  await using claviger = await startClaviger(options);
  await claviger.addProvider("stored", "https://upstream.invalid/v1", "vector-credential-of-a-provider");
  await change(claviger, {
    method: "PUT",
    path: "/api/v1/credentials/named",
    body: { value: "vector-credential-with-a-name" },
  });
  const { key: bearer } = await claviger.issueKey("app");
  const body = { model: "stored/model", messages: [{ role: "user", content: "hello" }] };
  const headers = { authorization: `Bearer ${bearer}` };
  await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
  return { bearer, ...(await more(claviger)) };
}

/** Sets one with a recovery key, and exchanges it. */
async function setServerKey(claviger: TestClaviger): Promise<Partial<Stored>> {
  const [first, serverKey] = ["vector: first server key", "vector: ﬁnal server key"];
  const post = (path: string, body: object) => change(claviger, { method: "POST", path, body });
  const made = await post("/api/v1/key/initialize", { key: first, recovery: true });
  await post("/api/v1/key/rotate", { current_key: first, new_key: serverKey });
  const { recovery_key: recoveryKey } = z.object({ recovery_key: z.string() }).parse(made.json);
  return { serverKey, recoveryKey };
}

function mapValues(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text = ""]) => [name, hex(text)]));
}

async function change(claviger: TestClaviger, call: Call): Promise<Answer> {
  const answer = await claviger.control(call);
  if (answer.status >= 300) throw new Error(`${call.path}: ${answer.status} ${answer.text}`);
  return answer;
}

/**
 * Writes the store of this program's version into `stores/`, for every later version to open:
 * `node test/upgrade/write-store.ts`. What it holds are format vectors, no secret of anybody's.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { type Answer, type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { OFFLINE } from "#test/offline.ts";
import { storeAsText } from "./store-text.ts";

const stores = path.join(import.meta.dirname, "stores");
const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-store-"));
try {
  const key = await fill();
  const secrets = path.join(dataDir, "secrets");
  const files = readdirSync(secrets).map((name) => ({
    name,
    hex: readFileSync(path.join(secrets, name)).toString("hex"),
  }));
  const name = path.join(stores, `version-${MIGRATIONS.length}`);
  writeFileSync(`${name}.sql`, storeAsText(path.join(dataDir, "db", "data.sqlite")));
  writeFileSync(
    `${name}.json`,
    `${JSON.stringify({ bearer: Buffer.from(key).toString("hex"), files }, undefined, 2)}\n`,
  );
} finally {
  rmSync(dataDir, { recursive: true });
}

/** Something in every table; gives the API key that was issued. */
async function fill(): Promise<string> {
  const options = { dataDir, clock: new FakeClock(), egress: OFFLINE };
  await using claviger = await startClaviger(options);
  await claviger.addProvider("stored", "https://upstream.invalid/v1", "vector-credential-of-a-provider");
  await change(claviger, {
    method: "PUT",
    path: "/api/v1/credentials/named",
    body: { value: "vector-credential-with-a-name" },
  });
  const { key } = await claviger.issueKey("app");
  const body = { model: "stored/model", messages: [{ role: "user", content: "hello" }] };
  await claviger.call({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body,
  });
  return key;
}

async function change(claviger: TestClaviger, call: Call): Promise<Answer> {
  const answer = await claviger.control(call);
  if (answer.status >= 300) throw new Error(`${call.path}: ${answer.status} ${answer.text}`);
  return answer;
}

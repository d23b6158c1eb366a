import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { OFFLINE } from "#test/offline.ts";
import { BY } from "#test/test-seal.ts";
import { openSubject, readSecrets } from "../crash/subject.ts";
import { storeAsText } from "./store-text.ts";
import { HELD, listStores, placeStore, versionOf } from "./stored.ts";

const STORES = listStores();

function scratch() {
  const root = mkdtempSync(path.join(tmpdir(), "claviger-upgrade-"));
  const remove = () => rmSync(root, { recursive: true, force: true });
  const dataDir = path.join(root, "data");
  return { dataDir, file: path.join(dataDir, "db", "data.sqlite"), [Symbol.dispose]: remove };
}

test("[N12] the stores of the versions before are there to be opened", () => {
  expect(STORES[0]).toBe("8");
});

test.each(
  STORES,
)("[N12] a store of version %s is served on: every secret reads back, and keys hold", async (store) => {
  using place = scratch();
  const { bearer, serverKey, recoveryKey } = placeStore(store, place.dataDir);
  for (const key of serverKey === undefined ? [undefined] : [serverKey, recoveryKey]) {
    await using subject = await openSubject(place.dataDir, systemRandom);
    expect(subject.seal.isLocked()).toBe(key !== undefined);
    if (key !== undefined) await subject.seal.unlock(new Secret(key), BY);
    const secrets = await readSecrets(subject);
    // This one each start puts there.
    secrets.delete("API_KEY_SECRET");
    expect([...secrets.values()].sort()).toEqual(HELD);
  }
  const options = { dataDir: place.dataDir, clock: new FakeClock(), egress: OFFLINE };
  await using claviger = await startClaviger(options);
  const unlock = { method: "POST", path: "/api/v1/key/unlock", body: { key: serverKey } };
  if (serverKey !== undefined) expect((await claviger.control(unlock)).status).toBe(200);
  const headers = { authorization: `Bearer ${bearer}` };
  expect((await claviger.call({ path: "/v1/models", headers })).status).toBe(200);
  const usage = await claviger.control({ path: "/api/v1/usage?by=provider" });
  expect([usage.status, usage.text]).toEqual([200, expect.stringContaining("stored")]);
});

test.each(
  STORES,
)("[N12] before a store of version %s is upgraded there is a verified copy of it, row by row", async (store) => {
  using place = scratch();
  placeStore(store, place.dataDir);
  const before = storeAsText(place.file);
  const next = { number: MIGRATIONS.length + 1, name: "next", sql: "CREATE TABLE next (id INTEGER);" };
  const migrations = [...MIGRATIONS, next];
  const database = await openSqlite({ dataDir: place.dataDir, clock: new FakeClock(), migrations });
  await database.close();
  const folder = path.join(place.dataDir, "db", "before-upgrade");
  const [name = "", ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  expect(name).toMatch(new RegExp(`^data-${versionOf(store)}-\\d{8}T\\d{9}Z\\.sqlite$`));
  const copy = path.join(folder, name);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(storeAsText(copy)).toBe(before);
  using opened = new DatabaseSync(copy, { readOnly: true, timeout: 5000 });
  expect(opened.prepare("PRAGMA integrity_check").get()?.integrity_check).toBe("ok");
});

test.each(
  STORES,
)("[N12] a program older than a store of version %s refuses it, names both versions and changes no byte", async (store) => {
  using place = scratch();
  placeStore(store, place.dataDir);
  const before = readFileSync(place.file);
  const version = versionOf(store);
  const migrations = MIGRATIONS.slice(0, version - 1);
  const opening = openSqlite({ dataDir: place.dataDir, clock: new FakeClock(), migrations });
  await expect(opening).rejects.toThrow(
    `version ${version}; this program knows versions up to ${version - 1}`,
  );
  expect(readFileSync(place.file).equals(before)).toBe(true);
});

test("[N12] what a copy left that was cut off is no copy, and goes before the next", async () => {
  using place = scratch();
  placeStore("8", place.dataDir);
  const folder = path.join(place.dataDir, "db", "before-upgrade");
  mkdirSync(folder, { mode: 0o700 });
  for (const end of ["", "-journal"])
    writeFileSync(path.join(folder, `data-8-20251231T000000000Z.sqlite.new${end}`), "half");
  await (await openSqlite({ dataDir: place.dataDir, clock: new FakeClock() })).close();
  expect(readdirSync(folder)).toEqual(["data-8-20260101T000000000Z.sqlite"]);
});

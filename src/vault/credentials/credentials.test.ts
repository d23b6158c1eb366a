import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openTestSeal } from "#test/test-seal.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { CredentialSource } from "./credential-source.ts";
import { type Credentials, openCredentials } from "./credentials.ts";

const ID = "prov_1";
const ORIGIN = "http://127.0.0.1:9";
const OTHER = "http://127.0.0.1:10";
const clock = new FakeClock();
let directory: string;
let database: Database;
let seal: Seal;
let credentials: Credentials;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "claviger-credentials-"));
  database = await openSqlite({ dataDir: directory, clock });
  seal = await openTestSeal({ database, dataDir: directory, clock });
  credentials = openCredentials({ database, seal, clock, random: systemRandom });
  const row = { id: ID, name: "sim", kind: "http", base_url: ORIGIN, options: "{}" };
  const times = { position: 1, created_at: 0, updated_at: 0 };
  await database.query
    .insertInto("provider")
    .values({ ...row, ...times })
    .execute();
});
afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

const fresh = () => new Secret(systemRandom.bytes(16).toString("hex"));
const store = (values: readonly Secret[], origin = ORIGIN, owner = credentials) =>
  database.transaction((query) => owner.replace(query, { providerId: ID, origin }, values));
const resolved = async (owner = credentials) => (await owner.resolve(ID, ORIGIN))?.expose();

test("[E4] a credential replaced while the old one is being read is neither used nor kept", async () => {
  const [old, next] = [fresh(), fresh()];
  await store([old]);
  let replaceMeanwhile = async () => {};
  // Another view of the same store, whose reading is held up until the change is through.
  const slow = openCredentials({
    seal,
    clock,
    random: systemRandom,
    database: { ...database, query: heldUp(database, () => replaceMeanwhile()) },
  });
  replaceMeanwhile = async () => {
    replaceMeanwhile = async () => {};
    await store([next]);
    slow.forget(ID);
  };
  expect(await resolved(slow)).toBe(next.expose());
  expect(await resolved(slow)).toBe(next.expose());
});

/** The store's queries; each select's rows are given out only after `before` has run. */
function heldUp(real: Database, before: () => Promise<void>): Database["query"] {
  return real.query.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      await before();
      return result;
    },
  });
}

test("[E4] a credential is for the origin it was entered for and for no other", async () => {
  await store([fresh()]);
  await expect(credentials.resolve(ID, OTHER)).rejects.toMatchObject({ code: "upstream_failed" });
  await store([fresh()], OTHER);
  credentials.forget(ID);
  await expect(credentials.resolve(ID, ORIGIN)).rejects.toMatchObject({ code: "upstream_failed" });
});

test("[G2] of a pool the first that does not cool down is used; where all do, the one that will be ready first", async () => {
  const pool = [fresh(), fresh(), fresh()];
  await store(pool);
  const [first, second, third] = pool.map((secret) => secret.expose());
  const coolDown = async (ms: number) => {
    const used = await credentials.resolve(ID, ORIGIN);
    if (used !== undefined) credentials.coolDown(used, ms);
  };
  expect(await resolved()).toBe(first);
  await coolDown(30_000);
  expect(await resolved()).toBe(second);
  await coolDown(10_000);
  expect(await resolved()).toBe(third);
  await coolDown(20_000);
  expect(await resolved()).toBe(second);
  clock.advance(9_999);
  expect(await resolved()).toBe(second);
  clock.advance(20_001);
  expect(await resolved()).toBe(first);
});

test("a provider without credentials has none, and a locked server opens none", async () => {
  expect(await resolved()).toBeUndefined();
  credentials.forget(ID);
  await store([fresh()]);
  credentials.forget(ID);
  expect(await resolved()).toBeDefined();
  void seal.close();
  await expect(credentials.resolve(ID, ORIGIN)).rejects.toMatchObject({ code: "server_locked" });
});

const declare = async (owner: Credentials, sources: readonly CredentialSource[]) => {
  const pools = await owner.declared.read([
    { providerId: ID, to: { origin: ORIGIN, proxy: undefined }, sources },
  ]);
  await database.transaction((query) => owner.declared.bind(query, pools));
  owner.declared.adopt(pools);
};
const setNamed = async (name: string, value: Secret) => {
  await database.transaction((query) => credentials.declared.set(query, name, value));
  credentials.declared.renew(name);
  credentials.forget(ID);
};

test("[I16] [G2] what was said of a secret to a thread that had not used it holds for a new list, and not for its successor", async () => {
  const [first, second, next] = [fresh(), fresh(), fresh()];
  const sources = [{ secret: "a" }, { secret: "b" }];
  await setNamed("a", first);
  await setNamed("b", second);
  await declare(credentials, sources);
  const [{ id } = { id: "" }] = await credentials.list(database.query, ID);
  credentials.coolUntil(id, clock.now() + 30_000);
  await declare(credentials, sources);
  expect(await resolved()).toBe(second.expose());
  credentials.forget(ID);
  credentials.coolUntil(id, clock.now() + 30_000);
  await setNamed("a", next);
  expect(await resolved()).toBe(next.expose());
});

test("[S9] a locked server opens nothing of what the environment holds either", async () => {
  const value = fresh();
  const owner = openCredentials({
    database,
    seal,
    clock,
    random: systemRandom,
    environment: (name) => (name === "LAB_KEY" ? value.expose() : undefined),
  });
  await declare(owner, [{ env: "LAB_KEY" }]);
  expect(await resolved(owner)).toBe(value.expose());
  void seal.close();
  await expect(owner.resolve(ID, ORIGIN)).rejects.toMatchObject({ code: "server_locked" });
});

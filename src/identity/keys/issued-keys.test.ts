import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { permissionSets } from "#gates/access/index.ts";
import { type AuditRecorder, openAuditRecorder } from "#gates/audit/index.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { generateApiKey } from "./api-key.ts";
import { type IssuedKeys, openIssuedKeys } from "./issued-keys.ts";
import { keyDigest } from "./key-digest.ts";

const { sets } = permissionSets({});
const BY = { principal: { kind: "local" }, address: null, requestId: "req_1" } as const;
const FIRST_PAGE = { limit: 100, cursor: undefined };
const random = seededRandom(3);

let dataDir: string;
let clock: FakeClock;
let database: Database;
let audit: AuditRecorder;
let keys: IssuedKeys;

const reopen = (secret = "a secret of the test") =>
  openIssuedKeys({ database, clock, random, secret: new Secret(secret), audit });
const create = (name: string, permissions = ["gateway"]) =>
  keys.create({ name: resourceName.parse(name), permissions, by: BY }, sets);
const auditActions = async () => (await audit.list(FIRST_PAGE)).data.map((row) => [row.action, row.target]);
const use = (key: Secret) => {
  const verdict = keys.reader.authenticate(key.expose());
  if (!verdict.ok) throw new Error(verdict.reason);
  keys.reader.markUsed(verdict.key.slot);
};
const digestOf = (key: Secret) => keyDigest(new Secret("a secret of the test"))(key.expose());
const storedUse = async (id: string) =>
  (
    await database.query
      .selectFrom("api_key")
      .select("last_used_at")
      .where("id", "=", id)
      .executeTakeFirstOrThrow()
  ).last_used_at;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-keys-"));
  clock = new FakeClock();
  database = await openSqlite({ dataDir, clock });
  audit = openAuditRecorder({ database, clock });
  keys = await reopen();
});

afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

describe("issuing keys", () => {
  it("[I10] an issued key opens the door, also after a restart, and only under the same API_KEY_SECRET", async () => {
    const { id, key } = await create("web");
    expect(keys.reader.authenticate(key.expose())).toMatchObject({
      ok: true,
      key: { id, permissionSets: ["gateway"] },
    });
    expect((await reopen()).reader.authenticate(key.expose()).ok).toBe(true);
    expect((await reopen("another")).reader.authenticate(key.expose())).toEqual({
      ok: false,
      reason: "unknown",
    });
  });

  it("[I10] neither the store nor a list holds the key; lists show prefix and last four", async () => {
    const { key, ...row } = await create("web", ["gateway", "viewer"]);
    const text = key.expose();
    expect(row).toEqual({
      id: `key_${text.slice(12, 24)}`,
      name: "web",
      source: "store",
      prefix: text.slice(0, 24),
      last4: text.slice(-4),
      permissions: ["gateway", "viewer"],
      limits: {},
      models: null,
      allowed_ips: null,
      created_at: "2026-01-01T00:00:00.000Z",
      expires_at: null,
      last_used_at: null,
      last_address: null,
      revoked_at: null,
      replaces: null,
      replaced_by: null,
    });
    expect(await keys.list(FIRST_PAGE)).toEqual({ data: [row], next_cursor: null });
    const stored = await database.query.selectFrom("api_key").selectAll().executeTakeFirstOrThrow();
    expect(
      JSON.stringify({ ...stored, digest: Buffer.from(stored.digest).toString("latin1") }),
    ).not.toContain(text.slice(25, 68));
    expect(stored.digest).toHaveLength(32);
  });

  it("[I10] a name is taken until its key is revoked", async () => {
    const { id } = await create("web");
    await expect(create("web")).rejects.toMatchObject({ code: "conflict" });
    await keys.revoke(id, BY);
    await expect(create("web")).resolves.toMatchObject({ name: "web" });
  });

  it("[I10] of two who ask for one name at once, one gets it", async () => {
    const outcomes = await Promise.allSettled([create("web"), create("web")]);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await keys.list(FIRST_PAGE)).data).toHaveLength(1);
  });

  it("[I15] nobody hands out what he does not hold, nor a set that does not exist", async () => {
    const by = {
      ...BY,
      principal: { kind: "key", id: "key_1", permissionSets: ["operator"], slot: 0 },
    } as const;
    const asOperator = (permissions: string[]) =>
      keys.create({ name: resourceName.parse("web"), permissions, by }, sets);
    await expect(asOperator(["superadmin"])).rejects.toMatchObject({ code: "exceeds_own_rights" });
    await expect(asOperator(["gatewey"])).rejects.toMatchObject({
      code: "bad_request",
      message: 'There is no permission set "gatewey". Did you mean "gateway"?',
    });
    await expect(asOperator([])).resolves.toMatchObject({ permissions: [] });
  });

  it("[W1] a key whose record cannot be written is not issued", async () => {
    const append = () => Promise.reject(new Error("audit is full"));
    keys = await openIssuedKeys({
      database,
      clock,
      random,
      secret: new Secret("a secret of the test"),
      audit: { ...audit, append },
    });
    await expect(create("web")).rejects.toThrow("audit is full");
    expect((await keys.list(FIRST_PAGE)).data).toEqual([]);
    expect((await (await reopen()).list(FIRST_PAGE)).data).toEqual([]);
  });

  it("[W1] issuing and revoking are recorded", async () => {
    const { id } = await create("web");
    await keys.revoke(id, BY);
    expect(await auditActions()).toEqual([
      ["key.revoke", id],
      ["key.create", id],
    ]);
  });

  it("[I10] pages go from the newest to the oldest, also after a restart", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) {
      await create(name);
      clock.advance(1);
    }
    for (const opened of [keys, await reopen()]) {
      const first = await opened.list({ limit: 2, cursor: undefined });
      const second = await opened.list({ limit: 2, cursor: first.next_cursor ?? undefined });
      const third = await opened.list({ limit: 2, cursor: second.next_cursor ?? undefined });
      const names = [first, second, third].map((page) => page.data.map((row) => row.name));
      expect(names).toEqual([["e", "d"], ["c", "b"], ["a"]]);
      expect(third.next_cursor).toBeNull();
    }
    await expect(keys.list({ limit: 2, cursor: "key_none" })).rejects.toThrow(
      "cursor is not one of this list",
    );
  });
});

describe("lists of many keys", () => {
  it("[I10] pages are full where few keys are visible", async () => {
    const rows = Array.from({ length: 3000 }, (_, number) => {
      const { id, key } = generateApiKey(random);
      const row = {
        id: `key_${id}`,
        name: `n${number}`,
        digest: digestOf(key),
        last4: "",
        permissions: "[]",
      };
      // Many made in the same millisecond: then their ids say which comes first.
      return { ...row, limits: "{}", created_at: number >> 9, revoked_at: null, last_used_at: null };
    });
    await database.insertRows("api_key", rows);
    const visible = (name: string) => name.endsWith("77");
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor: string | undefined, turn = 0; turn < 10; turn++) {
      const page = await keys.list({ limit: 7, cursor }, visible);
      seen.push(...page.data.map(({ name }) => name));
      sizes.push(page.data.length);
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(sizes).toEqual([7, 7, 7, 7, 2]);
    const newestFirst = (a: (typeof rows)[0], b: (typeof rows)[0]) =>
      b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
    expect(seen).toEqual(
      rows
        .toSorted(newestFirst)
        .map(({ name }) => name)
        .filter(visible),
    );
  });
});

describe("many keys in the store", () => {
  it("[I10] all are known after a restart, however many were made in one millisecond", async () => {
    const made = Array.from({ length: 1203 }, () => generateApiKey(random));
    const rows = made.map(({ id, key }, number) => {
      const row = {
        id: `key_${id}`,
        name: `n${number}`,
        digest: digestOf(key),
        last4: "",
        permissions: "[]",
      };
      const revoked_at = number % 100 === 0 ? 5 : null;
      return { ...row, limits: "{}", created_at: number >> 10, revoked_at, last_used_at: null };
    });
    await database.insertRows("api_key", rows);
    keys = await reopen();
    const verdicts = made.map(({ key }) => keys.reader.authenticate(key.expose()));
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1203 - 13);
    expect(verdicts.filter((verdict) => !verdict.ok && verdict.reason === "revoked")).toHaveLength(13);
  });
});

describe("room for keys", () => {
  it("[I10] a full table refuses the next key, loses none, and has room for it after a restart", async () => {
    const parts = { database, clock, random, secret: new Secret("a secret of the test"), audit, roomFor: 2 };
    keys = await openIssuedKeys(parts);
    const outcomes = await Promise.allSettled(["a", "b", "c"].map((name) => create(name)));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await expect(create("c")).rejects.toMatchObject({
      code: "keys_full",
      message: expect.stringContaining("Start it again: it then makes room for twice as many."),
    });
    expect((await keys.list(FIRST_PAGE)).data).toHaveLength(2);
    keys = await openIssuedKeys(parts);
    const { key } = await create("c");
    expect(keys.reader.authenticate(key.expose()).ok).toBe(true);
    expect((await keys.list(FIRST_PAGE)).data).toHaveLength(3);
  });

  it("a key that was not issued after all leaves its room to another", async () => {
    const parts = { database, clock, random, secret: new Secret("a secret of the test"), audit, roomFor: 2 };
    keys = await openIssuedKeys(parts);
    await create("a");
    for (let turn = 0; turn < 3; turn++)
      await expect(create("a")).rejects.toMatchObject({ code: "conflict" });
    await expect(create("b")).resolves.toMatchObject({ name: "b" });
  });
});

describe("refusing keys", () => {
  it("[A3] the log learns why: missing, malformed, unknown or revoked", async () => {
    const { id, key } = await create("web");
    await keys.revoke(id, BY);
    const other = generateApiKey(random).key.expose();
    const reasons = [undefined, "", "hunter2", `${other}x`, "x".repeat(1_000_000), other, key.expose()].map(
      (presented) => {
        const outcome = keys.reader.authenticate(presented);
        return outcome.ok ? "ok" : outcome.reason;
      },
    );
    expect(reasons).toEqual([
      "missing",
      "missing",
      "malformed",
      "malformed",
      "malformed",
      "unknown",
      "revoked",
    ]);
  });

  it("[I11] a revoked key is refused at once, before the store has answered, and listeners hear of it", async () => {
    const { id, key } = await create("web");
    const heard: string[] = [];
    keys.onEnded((revoked) => heard.push(revoked));
    const revoking = keys.revoke(id, BY);
    expect(keys.reader.authenticate(key.expose())).toEqual({ ok: false, reason: "revoked" });
    expect(heard).toEqual([id]);
    expect(await revoking).toEqual({ recorded: true });
    expect((await reopen()).reader.authenticate(key.expose())).toEqual({ ok: false, reason: "revoked" });
    expect((await keys.find(id))?.revoked_at).toBe("2026-01-01T00:00:00.000Z");
  });

  it("[I11] revoking again, or what never was, is not found", async () => {
    const { id } = await create("web");
    await keys.revoke(id, BY);
    await expect(keys.revoke(id, BY)).rejects.toMatchObject({ code: "not_found" });
    await expect(keys.revoke("key_none", BY)).rejects.toMatchObject({ code: "not_found" });
  });

  it("[W1] a revocation that cannot be written holds all the same and is recorded once, later", async () => {
    let broken = false;
    const append: AuditRecorder["append"] = (query, entry) =>
      broken ? Promise.reject(new Error("audit is full")) : audit.append(query, entry);
    const secret = new Secret("a secret of the test");
    keys = await openIssuedKeys({ database, clock, random, secret, audit: { ...audit, append } });
    const { id, key } = await create("web");
    broken = true;
    expect(await keys.revoke(id, BY)).toEqual({ recorded: false, cause: new Error("audit is full") });
    expect(keys.reader.authenticate(key.expose())).toEqual({ ok: false, reason: "revoked" });
    expect((await keys.find(id))?.revoked_at).toBe("2026-01-01T00:00:00.000Z");
    await expect(keys.flush()).rejects.toThrow("audit is full");
    broken = false;
    clock.advance(5000);
    await Promise.all([keys.flush(), keys.flush()]);
    expect(await auditActions()).toEqual([
      ["key.revoke", id],
      ["key.create", id],
    ]);
    expect((await (await reopen()).find(id))?.revoked_at).toBe("2026-01-01T00:00:00.000Z");
  });
});

describe("last used", () => {
  it("[I10] it is seen at once and written at most once a minute", async () => {
    const { id, key } = await create("web");
    const start = clock.now();
    use(key);
    expect((await keys.find(id))?.last_used_at).toBe("2026-01-01T00:00:00.000Z");
    expect(await storedUse(id)).toBeNull();
    await keys.flush();
    expect(await storedUse(id)).toBe(start);
    clock.advance(30_000);
    use(key);
    clock.advance(29_999);
    await keys.flush();
    expect(await storedUse(id)).toBe(start);
    clock.advance(1);
    await keys.flush();
    expect(await storedUse(id)).toBe(start + 30_000);
    expect((await (await reopen()).find(id))?.last_used_at).toBe("2026-01-01T00:00:30.000Z");
  });

  it("[I10] of 1,200 keys used at once each is written, and again those that the store refused", async () => {
    const made = Array.from({ length: 1200 }, (_, number) => {
      const { id, key } = generateApiKey(random);
      const row = {
        id: `key_${id}`,
        name: `n${number}`,
        digest: digestOf(key),
        last4: "",
        permissions: "[]",
      };
      return { key, row: { ...row, limits: "{}", created_at: number, revoked_at: null, last_used_at: null } };
    });
    await database.insertRows(
      "api_key",
      made.map(({ row }) => row),
    );
    keys = await reopen();
    for (const { key } of made) use(key);
    await sql`CREATE TRIGGER broken BEFORE UPDATE ON api_key WHEN new.id = ${sql.lit(made[700]?.row.id)}
      BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END`.execute(database.query);
    await expect(keys.flush()).rejects.toThrow("the disk is broken");
    await sql`DROP TRIGGER broken`.execute(database.query);
    await keys.flush();
    const rows = await database.query.selectFrom("api_key").select("last_used_at").execute();
    expect(rows.filter((row) => row.last_used_at !== clock.now())).toEqual([]);
  });
});

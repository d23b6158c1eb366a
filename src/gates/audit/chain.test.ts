import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { addCheckpoint } from "./chain.ts";
import { ChainKeys } from "./chain-keys.ts";
import { leaveAuditNote } from "./notes.ts";
import type { AuditEntry, Refusal } from "./record.ts";
import { type AuditRecorder, openAuditRecorder } from "./recorder.ts";
import { readHead, writeHead } from "./store.ts";
import { verifyAudit } from "./verify.ts";

const ENTRY: AuditEntry = {
  actor: "local",
  action: "key.create",
  target: "key_1",
  outcome: "success",
  address: null,
  requestId: "req_1",
  count: 1,
};
const REFUSAL: Refusal = {
  actor: "key_1",
  action: "gateway.use",
  route: "/v1/models",
  outcome: "denied",
  address: "192.0.2.1",
  requestId: "req_2",
};
const PAGE = { limit: 100, cursor: undefined };

let dataDir: string;
let clock: FakeClock;
let database: Database;
let lines: string[];
const random = seededRandom(11);
const newSecret = () => new Secret(random.bytes(32).toString("base64url"));
let secret: Secret;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-chain-"));
  clock = new FakeClock();
  lines = [];
  secret = newSecret();
  database = await openSqlite({ dataDir, clock });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

const opened = async (own = secret): Promise<AuditRecorder> => {
  const log = createLog({ level: "info", sink: { write: (line) => lines.push(line) } });
  const audit = openAuditRecorder({ database, clock, log, secret: own, directory: join(dataDir, "db") });
  await audit.start();
  return audit;
};
const append = (audit: AuditRecorder, entry = ENTRY) =>
  database.transaction((query) => audit.append(query, entry));
const verify = (own = secret) => verifyAudit({ dataDir, secret: own });
const kinds = (own = secret) => verify(own).findings.map(({ kind }) => kind);
const oldRow = (seq: number) => ({ ...columns, chain: "main", seq, time: 1, hash: null });
const { requestId, ...columnsOfEntry } = ENTRY;
const columns = { ...columnsOfEntry, request_id: requestId };

describe("the chain of records", () => {
  it("[W1] each row goes on from the one before it, whoever else writes, and undone changes leave no gap", async () => {
    const audit = await opened();
    await Promise.all(Array.from({ length: 20 }, () => append(audit)));
    const undone = database.transaction(async (query) => {
      await audit.append(query, ENTRY);
      throw new RangeError("undone");
    });
    await expect(undone).rejects.toThrow(RangeError);
    for (let at = 0; at < 50; at++) audit.refusal(REFUSAL);
    await Promise.all([append(audit), audit.flush(), append(audit)]);
    await database.transaction(async (query) => {
      await audit.append(query, ENTRY);
      await audit.append(query, ENTRY);
    });
    await audit.close();
    expect(verify()).toMatchObject({ whole: true, rows: 74, last: 74, checkpoints: 2, anchored: 74 });
  });

  it("[W1] goes on where it was after another start, and a process that ended without a word is no break", async () => {
    await append(await opened());
    const again = await opened();
    await append(again);
    expect(verify()).toMatchObject({ whole: true, rows: 2, anchored: 1 });
    expect(lines.join("")).not.toContain("tampered");
  });

  it("[W1] a checkpoint is signed after a thousand rows, after five minutes, at the end, and logged", async () => {
    const audit = await opened();
    const count = () => verify().checkpoints;
    await append(audit);
    await audit.flush();
    expect(count()).toBe(1);
    clock.advance(5 * 60_000);
    await audit.flush();
    await audit.flush();
    expect(count()).toBe(2);
    for (let at = 0; at < 1000; at++) audit.refusal(REFUSAL);
    await audit.flush();
    expect(count()).toBe(3);
    await audit.close();
    expect(count()).toBe(3);
    await append(audit);
    await audit.close();
    expect(verify()).toMatchObject({ whole: true, checkpoints: 4 });
    const facts = await audit.chain();
    expect(facts).toMatchObject({ seq: 1002, public_key: verify().public_key });
    expect(lines.filter((line) => line.includes("audit checkpoint")).at(-1)).toContain(
      `${facts?.chain} 1002:${facts?.hash}`,
    );
  });

  it("[W1] rows from before there were chains are vouched for as they are then", async () => {
    await database.insertRows("audit", [1, 2, 3].map(oldRow));
    const audit = await opened();
    await append(audit);
    const { data } = await audit.list(PAGE);
    expect(data.map(({ seq, action }) => [seq, action])).toEqual([
      [5, "key.create"],
      [4, "audit.adopt"],
      [3, "key.create"],
      [2, "key.create"],
      [1, "key.create"],
    ]);
    await opened();
    expect(verify()).toMatchObject({ whole: true, first: 4, rows: 2 });
    await database.insertRows("audit", [oldRow(6)]);
    expect(kinds()).toEqual(["foreign"]);
  });

  it("[W1] a head that was forged while the server runs stops changes, is told at a start, and stays told", async () => {
    const audit = await opened();
    await append(audit);
    await database.query.updateTable("audit_head").set({ checkpoint_time: 7 }).execute();
    await expect(append(audit)).rejects.toMatchObject({ code: "internal" });
    expect(kinds()).toEqual(["head"]);
    await append(await opened());
    expect(kinds()).toEqual(["recorded_break"]);
    expect(lines.join("")).toContain("the head was changed");
  });

  it("[W1] another secret is another chain, which says so", async () => {
    await append(await opened());
    const other = newSecret();
    await append(await opened(other));
    expect(kinds(other)).toEqual(["recorded_break"]);
    expect(kinds()).toContain("foreign");
  });
});

describe("rows that the front is cut from", () => {
  const cutAt = async (seq: number) => {
    const keys = new ChainKeys(secret);
    await database.transaction(async (query) => {
      const stored = await readHead(query, keys);
      const row = await query
        .selectFrom("audit")
        .select("hash")
        .where("seq", "=", seq)
        .executeTakeFirstOrThrow();
      if (stored === undefined || row.hash === null) throw new Error("no chain");
      const number = stored.head.checkpoint + 1;
      const start = {
        chain: keys.chain,
        number,
        kind: "start" as const,
        seq,
        time: clock.now(),
        hash: row.hash,
      };
      await query
        .insertInto("audit_checkpoint")
        .values({ ...start, signature: keys.signCheckpoint(start) })
        .execute();
      await writeHead(query, keys, { ...stored.head, checkpoint: number });
      await query.deleteFrom("audit").where("seq", "<=", seq).execute();
      await query.deleteFrom("audit_checkpoint").where("number", "<", number).execute();
    });
  };

  it("[W1] leave a whole chain behind a signed start, and no row behind that can be removed", async () => {
    const audit = await opened();
    for (let at = 0; at < 5; at++) await append(audit);
    await expect(database.query.deleteFrom("audit").where("seq", "=", 1).execute()).rejects.toThrow(
      /append-only/,
    );
    await cutAt(3);
    expect(verify()).toMatchObject({ whole: true, first: 4, last: 5, rows: 2 });
    await expect(database.query.deleteFrom("audit").where("seq", "=", 4).execute()).rejects.toThrow(
      /append-only/,
    );
    for (const change of [
      database.query.updateTable("audit_checkpoint").set({ time: 1 }),
      database.query.deleteFrom("audit_checkpoint"),
    ])
      await expect(change.execute()).rejects.toThrow(/append-only/);
    await append(await opened());
    await database.transaction((query) => addCheckpoint(query, new ChainKeys(secret), clock.now()));
    expect(verify()).toMatchObject({ whole: true, last: 6, checkpoints: 2 });
  });
});

describe("notes for the next start", () => {
  const RESTORED = {
    ...ENTRY,
    action: "key.restore",
    target: "backup of yesterday",
    time: 5,
    restored: true,
  };

  it("[W1] [S16] what happened without a server is written at the next start, with its time, once", async () => {
    await append(await opened());
    leaveAuditNote(dataDir, secret, { ...RESTORED, outcome: "failure", restored: false });
    const audit = await opened();
    await opened();
    const { data } = await audit.list(PAGE);
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({
      action: "key.restore",
      outcome: "failure",
      time: "1970-01-01T00:00:00.005Z",
    });
    expect(verify().whole).toBe(true);
  });

  it("[W1] a restored store is taken as it is, the restore is a record, and rows of before it do not come back", async () => {
    await append(await opened());
    await database.close();
    const backup = copyStore();
    database = await openSqlite({ dataDir, clock });
    const before = await opened();
    await append(before);
    await append(before, { ...ENTRY, target: "undone by the restore" });
    const undone = await database.query.selectFrom("audit").selectAll().where("seq", ">", 1).execute();
    await before.close();
    await database.close();
    backup.putBack();
    leaveAuditNote(dataDir, secret, RESTORED);
    database = await openSqlite({ dataDir, clock });
    const after = await opened();
    expect(verify()).toMatchObject({ whole: true, rows: 2 });
    expect((await after.list(PAGE)).data[0]).toMatchObject({ seq: 2, action: "key.restore" });
    await append(after);
    expect(verify()).toMatchObject({ whole: true, rows: 3, anchored: 2 });
    await sql`DROP TRIGGER audit_no_delete`.execute(database.query);
    await database.query.deleteFrom("audit").where("seq", ">", 1).execute();
    await database.insertRows("audit", undone);
    // Each fits to the one before it: they were written here once. But not as the last ones.
    expect(verify().findings.map(({ kind, from }) => [kind, from])).toEqual([
      ["anchor", 2],
      ["changed", 3],
    ]);
  });

  it("[W1] a store restored under another secret is vouched for as it is then", async () => {
    await append(await opened());
    const other = newSecret();
    leaveAuditNote(dataDir, other, RESTORED);
    await opened(other);
    expect(verify(other)).toMatchObject({ whole: true, rows: 2 });
    await database.insertRows("audit", [{ ...oldRow(9), chain: verify().chain }]);
    expect(kinds(other)).toEqual(["foreign"]);
  });

  it("[W1] an empty file, left by who found no room for a note, is removed and is nothing to tell", async () => {
    await append(await opened());
    const notes = join(dataDir, "db", "audit.notes");
    writeFileSync(notes, "");
    const audit = await opened();
    expect([existsSync(notes), (await audit.list(PAGE)).data.length]).toEqual([false, 1]);
  });

  it("[W1] a note of whoever has not the secret is not written, and told", async () => {
    await append(await opened());
    leaveAuditNote(dataDir, newSecret(), RESTORED);
    const audit = await opened();
    expect((await audit.list(PAGE)).data.map(({ action, target }) => [action, target])).toEqual([
      ["audit.break", "notes were put in"],
      ["key.create", "key_1"],
    ]);
  });

  function copyStore(): { putBack: () => void } {
    const path = join(dataDir, "db", "data.sqlite");
    const bytes = readFileSync(path);
    return {
      putBack: () => {
        for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
        writeFileSync(path, bytes);
      },
    };
  }
});

it("a start on a full disk is a refusal of its own", async () => {
  const full: Database = {
    ...portOf(database),
    transaction: () => Promise.reject(new AppError("storage_full")),
  };
  const audit = openAuditRecorder({ database: full, clock, secret });
  await expect(audit.start()).rejects.toMatchObject({ name: "StartError", exitCode: 75 });
});

function portOf(port: Database): Database {
  return {
    query: port.query,
    transaction: (work) => port.transaction(work),
    insertRows: (table, rows) => port.insertRows(table, rows),
    openRowPort: () => port.openRowPort(),
    compact: () => port.compact(),
    shrink: () => port.shrink(),
    close: () => port.close(),
    [Symbol.asyncDispose]: () => port.close(),
  };
}

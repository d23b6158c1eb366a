import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import type { AuditEntry } from "./record.ts";
import { type AuditRecorder, openAuditRecorder } from "./recorder.ts";
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
const DAY_MS = 86_400_000;
const ALL = { beforeMs: Number.MAX_SAFE_INTEGER, maxRows: Number.MAX_SAFE_INTEGER };

let dataDir: string;
let clock: FakeClock;
let database: Database;
const random = seededRandom(12);
const newSecret = () => new Secret(random.bytes(32).toString("base64url"));
let secret: Secret;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-front-"));
  clock = new FakeClock();
  secret = newSecret();
  database = await openSqlite({ dataDir, clock });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

const opened = async (): Promise<AuditRecorder> => {
  const audit = openAuditRecorder({ database, clock, secret, directory: join(dataDir, "db") });
  await audit.start();
  return audit;
};
const record = (audit: AuditRecorder, rows: number) =>
  database.transaction(async (query) => {
    for (let row = 0; row < rows; row++) await audit.append(query, ENTRY);
  });
const cutAll = async (audit: AuditRecorder, limit = ALL) => {
  let [rows, slices] = [0, 0];
  for (;;) {
    const cut = await audit.cutFront(limit);
    rows += cut.rows;
    if (cut.rows === 0 || cut.broken) return { rows, slices, broken: cut.broken === true };
    slices += 1;
  }
};
const verified = () => verifyAudit({ dataDir, secret });
const run = (text: string) => sql.raw(text).execute(database.query);
const untriggered = async (name: string, edit: string) => {
  const found = await sql<{ sql: string }>`SELECT sql FROM sqlite_schema WHERE name = ${name}`.execute(
    database.query,
  );
  await run(`DROP TRIGGER ${name}`);
  await run(edit);
  await run(found.rows[0]?.sql ?? "");
};

test("rows that are too old go a few at a time, and the rest is whole, also after a start", async () => {
  const audit = await opened();
  await record(audit, 250);
  await audit.flush();
  clock.advance(DAY_MS);
  await record(audit, 5);
  await audit.flush();
  const cut = await cutAll(audit, { ...ALL, beforeMs: clock.now() });
  expect(cut).toEqual({ rows: 250, slices: 3, broken: false });
  expect(verified()).toMatchObject({ whole: true, first: 251, last: 255 });
  await audit.flush();
  await audit.close();
  const again = await opened();
  await record(again, 1);
  expect(verified()).toMatchObject({ whole: true, findings: [], last: 256, checkpoints: 2 });
});

test("rows beyond the number that may stay go too, and the last one never", async () => {
  const audit = await opened();
  await record(audit, 30);
  expect(await cutAll(audit, { beforeMs: 0, maxRows: 10 })).toMatchObject({ rows: 20 });
  expect(verified()).toMatchObject({ whole: true, first: 21, last: 30 });
  expect(await cutAll(audit)).toMatchObject({ rows: 9 });
  expect(verified()).toMatchObject({ whole: true, first: 30, last: 30 });
});

test("a row that was tampered with does not vanish for its age, nor does what is behind it", async () => {
  const audit = await opened();
  await record(audit, 20);
  clock.advance(DAY_MS);
  await record(audit, 20);
  await untriggered("audit_no_update", "UPDATE audit SET actor = 'someone' WHERE seq = 8");
  expect(await cutAll(audit, { ...ALL, beforeMs: clock.now() })).toMatchObject({ broken: true });
  expect(verified().findings).toMatchObject([{ kind: "changed", from: 8 }]);
  // A recent row made old would vanish with its whole past.
  await untriggered("audit_no_update", "UPDATE audit SET actor = 'local' WHERE seq = 8");
  await untriggered("audit_no_update", "UPDATE audit SET time = 0 WHERE seq > 20");
  expect(await cutAll(audit, { ...ALL, beforeMs: clock.now() })).toMatchObject({ broken: true });
  expect(verified()).toMatchObject({ first: 21, last: 40, whole: false });
});

test("rows that go with a forged beginning, or come back in front of a real one, are found", async () => {
  const audit = await opened();
  await record(audit, 10);
  await audit.flush();
  await run("CREATE TABLE saved AS SELECT * FROM audit WHERE seq <= 5");
  await cutAll(audit, { beforeMs: 0, maxRows: 5 });
  expect(verified()).toMatchObject({ whole: true, first: 6 });
  await run("INSERT INTO audit SELECT * FROM saved");
  expect(verified().findings).toMatchObject([{ kind: "put_in" }]);
  await run("DELETE FROM audit WHERE seq <= 5");
  await untriggered("audit_checkpoint_no_update", "UPDATE audit_checkpoint SET seq = 7 WHERE kind = 'start'");
  await untriggered("audit_no_delete", "DELETE FROM audit WHERE seq <= 7");
  expect(verified().whole).toBe(false);
  expect(await audit.cutFront(ALL)).toEqual({ rows: 0, broken: true });
});

test("what other chains left goes first, whole once it is as old, and does not come back unseen", async () => {
  const old = { chain: "main", outcome: "success", actor: "local", action: "key.create", count: 1 } as const;
  const none = { target: null, address: null, request_id: null, hash: null };
  const rows = Array.from({ length: 150 }, (_, at) => ({ ...old, ...none, seq: at + 1, time: clock.now() }));
  await database.insertRows("audit", rows);
  const audit = await opened();
  clock.advance(DAY_MS);
  await record(audit, 3);
  await audit.flush();
  expect(verified().whole).toBe(true);
  const limit = { ...ALL, beforeMs: clock.now() };
  // Between the slices too.
  expect(await audit.cutFront(limit)).toEqual({ rows: 100 });
  expect(verified()).toMatchObject({ whole: true, findings: [] });
  expect(await cutAll(audit, { ...limit, beforeMs: clock.now() - DAY_MS + 1 })).toMatchObject({ rows: 51 });
  expect(verified()).toMatchObject({ whole: true, findings: [], first: 152 });
  await database.insertRows("audit", rows.slice(140));
  expect(verified().findings).toMatchObject([{ kind: "foreign" }]);
});

test("while it vouches for another chain whose rows stay, the own record of that stays", async () => {
  const row = { chain: "main", outcome: "success", actor: "local", action: "key.create", count: 1 } as const;
  const none = { target: null, address: null, request_id: null, hash: null };
  await database.insertRows("audit", [{ ...row, ...none, seq: 1, time: clock.now() + DAY_MS }]);
  const audit = await opened();
  await record(audit, 3);
  expect(await cutAll(audit, { ...ALL, beforeMs: clock.now() + 1 })).toMatchObject({ rows: 0 });
  expect(verified().whole).toBe(true);
});

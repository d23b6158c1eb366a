import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";

const BEFORE = 15;

test("[N12] after the upgrade the last sign-in of a user is the newest that the audit has", async () => {
  using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-sign-ins-"));
  const options = { dataDir: directory.path, clock: new FakeClock() };
  await (await openSqlite({ ...options, migrations: MIGRATIONS.slice(0, BEFORE) })).close();
  {
    using store = new DatabaseSync(path.join(directory.path, "db", "data.sqlite"));
    const user = store.prepare("INSERT INTO user VALUES (?, ?, '', '[]', 0, 0, 1, 1)");
    for (const name of ["maria", "nora"]) user.run(`user_${name}`, name);
    const audit = store.prepare(
      "INSERT INTO audit (chain, seq, time, actor, action, outcome, count) VALUES ('c', ?, ?, ?, ?, ?, 1)",
    );
    audit.run(1, 100, "user_maria", "user.login", "success");
    audit.run(2, 200, "user_maria", "user.login", "success");
    audit.run(3, 300, "user_maria", "user.login", "failure");
    audit.run(4, 400, "user_maria", "user.password", "success");
  }
  await using database = await openSqlite(options);
  const columns = database.query.selectFrom("user").select(["username", "last_signed_in_at"]);
  expect(await columns.orderBy("username").execute()).toEqual([
    { username: "maria", last_signed_in_at: 200 },
    { username: "nora", last_signed_in_at: null },
  ]);
});

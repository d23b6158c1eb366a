import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openSqlite } from "#platform/storage/sqlite.ts";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { sumNewRows } from "../../src/services/gateway/sums/store.ts";
import { expectedSums, storedSums } from "../expected-sums.ts";
import { FakeClock } from "../fake-clock.ts";

const CHILD = fileURLToPath(new URL("./sums-crash-child.ts", import.meta.url));

test("[W5] killed at any moment, sums and rows still tell the same, and nothing that was answered is lost", {
  timeout: 240_000,
}, async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-sums-"));
  try {
    let least = 0;
    for (let kills = 0; kills < 5; kills += 1) {
      least += await insertUntilKilled(dataDir, 3 + kills * 2);
      await using database = await openSqlite({ dataDir, clock: new FakeClock() });
      const rows = await database.query.selectFrom("request").selectAll().orderBy("seq").execute();
      expect(rows.length).toBeGreaterThanOrEqual(least);
      least = rows.length;
      const { summed } = await database.query
        .selectFrom("usage_progress")
        .select("summed")
        .executeTakeFirstOrThrow();
      // What no sum has yet is there as rows.
      expect(await storedSums(database)).toEqual(expectedSums(rows.slice(0, summed)));
      await database.transaction((query) => sumNewRows(query, { rows: 1_000_000, minutesFrom: 0 }));
      expect(await storedSums(database)).toEqual(expectedSums(rows));
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** Kills a child by SIGKILL after it has told so many times how far it is; gives the rows it was answered for. */
async function insertUntilKilled(dataDir: string, tellings: number): Promise<number> {
  const child = spawn(process.execPath, [...NODE_FLAGS.sources, CHILD, dataDir]);
  const exited = once(child, "exit");
  let told = "";
  try {
    for await (const chunk of child.stdout) {
      told += String(chunk);
      if (told.split("\n").length > tellings) break;
    }
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
  return Number(told.trim().split("\n").at(-1));
}

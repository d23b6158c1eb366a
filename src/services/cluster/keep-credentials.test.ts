import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { readCredentials, writeCredentials } from "./credential-files.ts";
import { keepCredentials } from "./keep-credentials.ts";

const place = mkdtempSync(join(tmpdir(), "claviger-keep-"));
let database: Database;
beforeAll(async () => {
  database = await openSqlite({ dataDir: place, clock: new FakeClock() });
});
afterAll(async () => {
  await database.close();
  rmSync(place, { recursive: true });
});

/** A store on which everything is written but not kept. */
const unkept: Pick<Database, "transaction"> = {
  transaction: (work) =>
    database.transaction(async (query) => {
      await work(query);
      throw new Error("not kept");
    }),
};
const by = { principal: { kind: "local" }, address: null, requestId: "req_1" } as const;

test.each([
  false,
  true,
])("[N3] [C9] where the record is not kept the files are those of before; a member before: %s", async (isMember) => {
  const directory = join(place, `credentials-${isMember}`);
  const [before, next] = [madeUpCredentials(), madeUpCredentials()];
  if (isMember) writeCredentials(directory, before);
  const noted: string[] = [];
  const audit = {
    append: async (_query: unknown, entry: { readonly action: string }) => void noted.push(entry.action),
  };
  const how = { by, action: "cluster.pin.reset" };
  await expect(keepCredentials({ directory, database: unkept, audit }, next, how)).rejects.toThrow(
    "not kept",
  );
  expect(readCredentials(directory)).toEqual(
    isMember ? { status: "member", credentials: before } : { status: "none" },
  );
  await keepCredentials({ directory, database, audit }, next, how);
  expect(readCredentials(directory)).toEqual({ status: "member", credentials: next });
  expect(noted).toEqual([how.action, how.action]);
  const refusing = { append: () => Promise.reject(new Error("no record")) };
  await expect(keepCredentials({ directory, database, audit: refusing }, before, how)).rejects.toThrow();
  expect(readCredentials(directory)).toEqual({ status: "member", credentials: next });
});

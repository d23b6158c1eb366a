import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { readCredentials, writeCredentials } from "../credential-files.ts";
import { leaveCluster } from "./leave.ts";

const place = mkdtempSync(join(tmpdir(), "claviger-leave-"));
const directory = join(place, "credentials");
const credentials = madeUpCredentials();
const by = { principal: { kind: "local" }, address: null, requestId: "req_1" } as const;
let database: Database;
let dropped = 0;
beforeAll(async () => {
  database = await openSqlite({ dataDir: place, clock: new FakeClock() });
});
beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  writeCredentials(directory, credentials);
});
afterAll(async () => {
  await database.close();
  rmSync(place, { recursive: true });
});

/** A server that knows nobody. */
const leave = (how: { readonly kept?: boolean; readonly recorded?: boolean; readonly at?: string } = {}) => {
  const { kept = true, recorded = true, at = directory } = how;
  return leaveCluster(
    {
      directory: at,
      database: {
        transaction: (work) =>
          database.transaction(async (query) => {
            const done = await work(query);
            if (!kept) throw new Error("not kept");
            return done;
          }),
      },
      audit: { append: () => (recorded ? Promise.resolve() : Promise.reject(new Error("no record"))) },
      calls: { call: () => Promise.reject(new Error("nobody to call")) },
      cluster: { change: (work) => work(readCredentials(at)) },
      roster: {
        self: () => undefined,
        others: () => [],
        change: () => Promise.reject(new Error("nothing to change")),
        drop: async () => {
          dropped += 1;
        },
      },
    },
    by,
  );
};

test("[N3] [C4] who cannot write down that he leaves stays, with all files; else all are gone", async () => {
  for (const how of [{ kept: false }, { recorded: false }]) {
    await expect(leave(how)).rejects.toThrow(/not kept|no record/);
    expect(readCredentials(directory)).toEqual({ status: "member", credentials });
  }
  expect(await leave()).toEqual({ clusterId: credentials.clusterId, notTold: [] });
  expect(readCredentials(directory)).toEqual({ status: "none" });
  expect(dropped).toBe(3);
  await expect(leave()).rejects.toMatchObject({ code: "cluster_closed" });
});

test("[C12] what a link in the place of the directory leads to is not emptied", async () => {
  const link = join(place, "link");
  symlinkSync(directory, link);
  await expect(leave({ at: link })).rejects.toMatchObject({ code: "cluster_closed" });
  expect(readCredentials(directory)).toEqual({ status: "member", credentials });
});

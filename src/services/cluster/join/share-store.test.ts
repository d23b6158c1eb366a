import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { writeMeta } from "#platform/storage/meta.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openShareStore } from "./share-store.ts";
import type { Shares } from "./shares.ts";

const nothing = async () => {};
const SHARES: Shares = {
  clusterId: "cluster_0000000000000001",
  term: { number: 7, opener: "node_b", members: ["node_b", "node_a"] },
  openedMs: 1_767_225_600_000,
  held: 8,
  spent: 2,
};

async function inStore(work: (database: Awaited<ReturnType<typeof openSqlite>>) => Promise<void>) {
  using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-shares-"));
  await using database = await openSqlite({ dataDir: directory.path, clock: new FakeClock() });
  await work(database);
}

test("[C5] what was written is read again, also a term that was heard when it was over", async () => {
  await inStore(async (database) => {
    const store = openShareStore(database);
    expect(await store.read()).toBeUndefined();
    for (const shares of [SHARES, { ...SHARES, term: { ...SHARES.term, members: [] }, held: 0, spent: 20 }]) {
      await store.write(shares, nothing);
      expect(await openShareStore(database).read()).toEqual(shares);
    }
  });
});

test("[C5] what cannot be recorded is not written", async () => {
  await inStore(async (database) => {
    const store = openShareStore(database);
    await store.write(SHARES, nothing);
    const full = async () => {
      throw new AppError("storage_full");
    };
    await expect(store.write({ ...SHARES, held: 9 }, full)).rejects.toThrow(AppError);
    expect(await store.read()).toEqual(SHARES);
  });
});

test.each([
  ["number", "x"],
  ["held", "21"],
  ["held", "-1"],
  ["spent", "1e9"],
  ["opened_ms", "never"],
])("[C5] joining is closed where the store has no count: %s is %s", async (name, value) => {
  await inStore(async (database) => {
    const store = openShareStore(database);
    await store.write(SHARES, nothing);
    await writeMeta(database.query, "cluster.join.", new Map([[name, value]]));
    expect(await store.read()).toBeUndefined();
  });
});

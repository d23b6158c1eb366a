import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { KeyTries } from "./tries.ts";

const MINUTE_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), "claviger-tries-"));
const clock = new FakeClock();
let database: Database;
let tries: KeyTries;
const open = async () => {
  database = await openSqlite({ dataDir: directory, clock });
  tries = new KeyTries({ database, clock });
};
beforeAll(open);
beforeEach(async () => {
  await database.query.deleteFrom("key_try").execute();
});
afterAll(async () => {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

const by = (id: string, address: string | null = "192.0.2.1"): ChangeAuthor => ({
  principal: id === "local" ? { kind: "local" } : { kind: "key", id, slot: 0, permissionSets: [] },
  address,
  requestId: "req_1",
});
const wrong = async () => {
  throw new AppError("wrong_key");
};
/** `wrong`, `right`, `busy`, or after how many seconds to come back. */
async function outcome(work: () => Promise<string>, who = by("key_1")): Promise<string | number> {
  try {
    return await tries.run(who, work);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "rate_limited") return error.retryAfterS ?? "no time";
    return error.code === "wrong_key" ? "wrong" : error.code;
  }
}
const right = async () => "right";

test("[S5] three wrong tries are free, then each waits twice as long as the one before, up to a minute", async () => {
  for (let free = 0; free < 3; free++) expect(await outcome(wrong)).toBe("wrong");
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    expect(await outcome(wrong)).toBe(seconds);
    clock.advance(seconds * 1000 - 1);
    // The right key too, and unjudged: else a try within the delay would be worth making.
    expect(await outcome(right)).toBe(1);
    clock.advance(1);
    expect(await outcome(wrong)).toBe("wrong");
  }
});

test("[S5] a right one clears what was wrong before; what could not be judged counts for nothing", async () => {
  for (let free = 0; free < 3; free++) await outcome(wrong);
  clock.advance(1000);
  expect(await outcome(right)).toBe("right");
  for (let free = 0; free < 3; free++) expect(await outcome(wrong)).toBe("wrong");
  clock.advance(1000);
  const busy = async () => {
    throw new AppError("seal_busy");
  };
  for (let time = 0; time < 5; time++) {
    expect(await outcome(busy)).toBe("seal_busy");
    clock.advance(1000);
  }
  expect(await outcome(wrong)).toBe("wrong");
  expect(await outcome(wrong)).toBe(2);
});

test("[S5] after 30 tries in 15 minutes, those within a delay too, there is none until these are over", async () => {
  const answers: (string | number)[] = [];
  for (let time = 0; time < 30; time++) answers.push(await outcome(wrong));
  expect(answers.slice(3)).toEqual(Array(27).fill(1));
  expect(await outcome(wrong)).toBe(15 * 60);
  clock.advance(14 * MINUTE_MS);
  expect(await outcome(right)).toBe(60);
  clock.advance(MINUTE_MS);
  expect(await outcome(right)).toBe("right");
});

test("[S5] a quarter of an hour after the last wrong one all is forgotten", async () => {
  for (let free = 0; free < 3; free++) await outcome(wrong);
  clock.advance(16 * MINUTE_MS);
  for (let free = 0; free < 3; free++) expect(await outcome(wrong)).toBe("wrong");
});

test("[S5] it is by principal and address, of IPv6 by the network; the control socket is one more", async () => {
  for (let free = 0; free < 3; free++) await outcome(wrong, by("key_1", "2001:db8::1"));
  expect(await outcome(wrong, by("key_1", "2001:db8::ffff:1"))).toBe(1);
  expect(await outcome(wrong, by("key_1", "2001:db8:0:1::1"))).toBe("wrong");
  expect(await outcome(wrong, by("key_2", "2001:db8::1"))).toBe("wrong");
  for (let free = 0; free < 3; free++) expect(await outcome(wrong, by("local", null))).toBe("wrong");
  expect(await outcome(wrong, by("local", null))).toBe(1);
});

test("[S5] of many at once no more begin than of as many one after the other, and a restart forgets none", async () => {
  let begun = 0;
  const slowly = async () => {
    begun += 1;
    await new Promise(setImmediate);
    return await wrong();
  };
  const all = await Promise.all(Array.from({ length: 20 }, () => outcome(slowly)));
  expect([begun, all.filter((each) => each === 1).length]).toEqual([3, 17]);
  await database.close();
  await open();
  expect(await outcome(wrong)).toBe(1);
});

test("[S5] a try that the end of the process interrupts was a wrong one", async () => {
  const never = Promise.withResolvers<string>();
  const begun = [1, 2, 3].map(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void outcome(() => {
      resolve();
      return never.promise;
    });
    return promise;
  });
  await Promise.all(begun);
  expect(await outcome(wrong)).toBe(1);
});

test("[S5] a clock that was set back lengthens no delay", async () => {
  for (let time = 0; time < 3; time++) await outcome(wrong);
  clock.advance(-60 * MINUTE_MS);
  expect(await outcome(wrong)).toBe(1);
  clock.advance(1000);
  expect(await outcome(wrong)).toBe("wrong");
});

test("[S5] no more than 4,096 are remembered, the newest", async () => {
  const rows = Array.from({ length: 4096 }, (_, at) => ({
    who: `key_${at}`,
    wrong: 3,
    last_at: clock.now() - 5000 + at,
    tries: 3,
    since: clock.now() - 5000,
  }));
  await database.insertRows("key_try", rows);
  for (let free = 0; free < 3; free++) await outcome(wrong);
  const left = await database.query.selectFrom("key_try").select("who").orderBy("last_at").execute();
  expect(left.length).toBe(4096);
  expect(left[0]?.who).toBe("key_1");
  expect(await outcome(wrong)).toBe(1);
});

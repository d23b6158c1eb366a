import { platform } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { lowThreads } from "#test/low-threads.ts";
import { SealedStore } from "#test/seal/sealed-store.ts";
import { HeldKeys } from "./held-keys.ts";
import { Keyring, newTerm, type UnwrappedTerm } from "./keyring.ts";
import { ResealJob } from "./reseal-job.ts";

const COLUMN = { table: "named_credential", column: "sealed", key: "name", writtenWith: [] };
const META = { hint: "", origin: null, proxy: null, created_at: 0, updated_at: 0 };
const DAMAGED = Buffer.alloc(40, 1);
/** More than two pages. */
const OLD = 300;
const PLACES = [
  ["in this thread", Number.POSITIVE_INFINITY],
  ["in a thread of its own", 0],
] as const;

/** Tells whenever it is asked for the keys: before each page, when that was read and nothing of it is written. */
class AskedKeys extends HeldKeys {
  asked = 0;
  onAsked: ((time: number) => void) | undefined;

  override keyring(): Keyring {
    this.asked += 1;
    this.onAsked?.(this.asked);
    return super.keyring();
  }
}

let store: SealedStore;
let terms: readonly UnwrappedTerm[];
let held: AskedKeys;
beforeEach(async () => {
  store = await SealedStore.start();
  terms = [1, 2].map((term) => newTerm(term, systemRandom));
  held = new AskedKeys({ status: "unlocked", keyring: keyringOf(1, 2) }, systemRandom);
  const old = Object.fromEntries(Array.from({ length: OLD }, (_, at) => [`old-${at}`, `value ${at}`]));
  await put(1, old);
  await put(2, { "new-1": "first", "new-2": "second" });
});
afterEach(() => store[Symbol.asyncDispose]());

/** Of these terms, as often as it is asked for: the bytes that a keyring takes are zero afterwards. */
function keyringOf(...numbers: readonly number[]): Keyring {
  const wanted = terms.filter(({ term }) => numbers.includes(term));
  return new Keyring(wanted.map(({ term, bytes }) => ({ term, bytes: Buffer.from(bytes) })));
}

function sealedUnder(term: number, name: string, value: string): Uint8Array {
  return keyringOf(term).seal({ ...COLUMN, key: name }, Buffer.from(value), systemRandom);
}

async function put(term: number, values: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(values).map(([name, value]) => ({
    ...META,
    name,
    sealed: sealedUnder(term, name, value),
  }));
  await store.database.insertRows("named_credential", rows);
}

/** What opens with the second term alone; undefined for what does not. */
async function moved(): Promise<Record<string, string | undefined>> {
  const newest = keyringOf(2);
  const opened = Object.entries(await store.sealed()).map(([name, sealed]) => {
    try {
      return [name, newest.open({ ...COLUMN, key: name }, sealed).toString()];
    } catch {
      return [name, undefined];
    }
  });
  return Object.fromEntries(opened);
}

function jobOf(inThreadFrom: number, program?: URL): ResealJob {
  const parts = { database: store.database, held, random: systemRandom, columns: [COLUMN], inThreadFrom };
  return new ResealJob(program === undefined ? parts : { ...parts, program });
}

const programOf = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const onWork = (text: string) =>
  programOf(`import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { ${text} });`);

describe.each(PLACES)("%s", (_, inThreadFrom) => {
  test("[S7] [S8] what is old is sealed anew, what is new stays, what does not open is named and left", async () => {
    await store.overwrite("old-7", DAMAGED);
    const before = await store.sealed();
    const job = jobOf(inThreadFrom);
    const failed = [{ table: "named_credential", id: "old-7" }];
    expect(await job.run()).toEqual({ resealed: OLD - 1, skipped: 2, failed, dropped: false });
    expect(job.progress()).toEqual({ running: false, done: OLD + 2, total: OLD + 2 });
    const after = await store.sealed();
    for (const name of ["old-7", "new-1", "new-2"]) expect(after[name]).toEqual(before[name]);
    expect(await moved()).toEqual({
      ...Object.fromEntries(Array.from({ length: OLD }, (_, at) => [`old-${at}`, `value ${at}`])),
      "old-7": undefined,
      "new-1": "first",
      "new-2": "second",
    });
    expect(await job.run()).toEqual({ resealed: 0, skipped: OLD + 1, failed, dropped: false });
    await store.remove("old-7");
    expect(await job.run()).toEqual({ resealed: 0, skipped: OLD + 1, failed: [], dropped: true });
    expect(held.keyring().size).toBe(1);
  });

  test("[S7] what changes after it was read is left as it is then, and moved by the next look if it is old", async () => {
    const edits: Promise<void>[] = [];
    held.onAsked = (time) => {
      if (time !== 1) return;
      edits.push(store.overwrite("old-0", sealedUnder(1, "old-0", "edited, old")));
      edits.push(store.overwrite("old-1", sealedUnder(2, "old-1", "edited, new")));
      edits.push(store.remove("old-10"));
    };
    const report = await jobOf(inThreadFrom).run();
    expect(report).toEqual({ resealed: OLD - 2, skipped: 2, failed: [], dropped: true });
    await Promise.all(edits);
    const after = await moved();
    expect([after["old-0"], after["old-1"]]).toEqual(["edited, old", "edited, new"]);
    expect(Object.keys(after)).toHaveLength(OLD + 1);
    expect(Object.values(after)).not.toContain(undefined);
  });

  test("[S7] [S10] stopped or locked in the middle it ends with that, loses nothing, and goes on where it was", async () => {
    const job = jobOf(inThreadFrom);
    const ends = [
      { code: "seal_busy", end: () => void job.stop(new AppError("seal_busy")) },
      { code: "server_locked", end: () => held.drop() },
    ];
    const counts = [0];
    for (const { code, end } of ends) {
      // What was moved before is the first pages' now: so it ends within them, and then behind them.
      const last = held.asked + (inThreadFrom === 0 ? 2 : 12);
      held.onAsked = (time) => {
        if (time === last) setImmediate(end);
      };
      await expect(job.run()).rejects.toMatchObject({ code });
      expect(job.progress().running).toBe(false);
      const done = Object.values(await moved()).filter((value) => value !== undefined).length - 2;
      counts.push(done);
      expect(done).toBeLessThan(OLD);
    }
    expect(counts[1]).toBeGreaterThan(0);
    expect(counts[2]).toBeGreaterThanOrEqual(counts[1] ?? 0);
    held.onAsked = undefined;
    held.hold(keyringOf(1, 2));
    expect(await job.run()).toMatchObject({ failed: [], dropped: true });
    expect(Object.values(await moved())).not.toContain(undefined);
  });

  test("[S10] a keyring that takes the place of another is what the next values are sealed with", async () => {
    terms = [...terms, newTerm(3, systemRandom)];
    held.onAsked = (time) => {
      if (time === 1) void nextTurn().then(() => held.hold(keyringOf(1, 2, 3)));
    };
    expect(await jobOf(inThreadFrom).run()).toMatchObject({ failed: [], dropped: true });
    expect(held.keyring().writeTerm).toBe(3);
    const newest = held.keyring();
    for (const [name, sealed] of Object.entries(await store.sealed()))
      expect(newest.open({ ...COLUMN, key: name }, sealed).length).toBeGreaterThan(0);
  });
});

describe("the thread", () => {
  test.runIf(platform() === "linux")(
    "is there for a job of many values alone, gives way to all others, and is gone with it",
    async () => {
      const seen: number[] = [];
      held.onAsked = () => seen.push(lowThreads(process.pid));
      await jobOf(OLD + 3).run();
      expect(Math.max(...seen)).toBe(0);
      seen.length = 0;
      held.hold(keyringOf(1, 2));
      await jobOf(OLD + 2).run();
      expect(Math.max(...seen)).toBe(1);
      expect(lowThreads(process.pid)).toBe(0);
    },
  );

  test("[S9] [S10] is ended by a lock whatever it does", async () => {
    const job = jobOf(0, onWork("for (;;);"));
    held.onAsked = () => setImmediate(() => held.drop());
    await expect(job.run()).rejects.toMatchObject({ code: "server_locked" });
    held.onAsked = undefined;
    held.hold(keyringOf(1, 2));
    expect(await jobOf(0).run()).toMatchObject({ resealed: OLD, dropped: true });
  });

  test("[S7] is ended by a stop whatever it does", async () => {
    const job = jobOf(0, onWork("for (;;);"));
    held.onAsked = () => setImmediate(() => void job.stop(new AppError("seal_busy")));
    await expect(job.run()).rejects.toMatchObject({ code: "seal_busy" });
  });

  test.each([
    ["ends", onWork("process.exit(7)"), /^the sealing thread ended: 7$/],
    ["throws", onWork('throw new Error("no memory")'), /^the sealing thread ended: Error: no memory$/],
    ["does not start", programOf("no program"), /^the sealing thread ended: SyntaxError/],
  ])("[S7] one that %s is an error of its job, and the next goes on", async (_, program, message) => {
    const before = await store.sealed();
    const job = jobOf(0, program);
    await expect(job.run()).rejects.toThrow(message);
    await expect(job.run()).rejects.toThrow(message);
    expect(await store.sealed()).toEqual(before);
    expect(await jobOf(0).run()).toMatchObject({ resealed: OLD, dropped: true });
  });
});

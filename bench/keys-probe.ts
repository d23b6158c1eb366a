/*
 * What so many keys cost, measured in a process of its own, for memory that was given back once is not memory that was
 * never taken. `fill DIR COUNT` writes a store, `measure DIR COUNT` prints one KeysMeasure as JSON.
 */
import { permissionSets } from "#gates/access/index.ts";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { type IssuedKeys, openIssuedKeys } from "#identity/keys/index.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FILLED_SECRET, fillKeys } from "./fill-keys.ts";
import { numbered } from "./numbered-keys.ts";

/**
 * Durations in the unit of their name. A pause is the longest time this thread worked without a break, in its own
 * processor's time, and so are look-ups: what else runs on the machine is not counted.
 */
export interface KeysMeasure {
  readonly loadMs: number;
  readonly loadPauseMs: number;
  /** What the process holds more than before, in bytes. */
  readonly residentBytes: number;
  readonly rightUs: number;
  readonly unknownUs: number;
  readonly changes: number;
  readonly changesMs: number;
  readonly changesPauseMs: number;
  readonly flushedUses: number;
  readonly flushMs: number;
  readonly flushPauseMs: number;
  readonly pageMs: number;
}

const ROUNDS = 9;
const PRESENTED = 20_000;
const CHANGES = 1000;
const BY = { principal: { kind: "local" }, address: null, requestId: "req_bench" } as const;
const { sets } = permissionSets({});

const [mode = "", dataDir = "", counted = ""] = process.argv.slice(2);
await using database = await openSqlite({ dataDir, clock: systemClock });
if (mode === "fill") await fillKeys(database, Number(counted), fewRequests);
else console.log(JSON.stringify(await measure(database, Number(counted))));

/** Limits of twenty kinds: in use, too, many keys share few kinds. */
function fewRequests(number: number): Readonly<Record<string, number>> {
  return { requests_per_minute: 1 + (number % 20) };
}

async function measure(store: Database, count: number): Promise<KeysMeasure> {
  const audit = openAuditRecorder({ database: store, clock: systemClock });
  const parts = { database: store, clock: systemClock, random: systemRandom, secret: FILLED_SECRET, audit };
  const before = resident();
  const load = await watched(() => openIssuedKeys(parts));
  const residentBytes = resident() - before;
  const keys = load.result;
  const rightUs = authenticateUs(keys, () => Math.floor(Math.random() * count), true);
  const unknownUs = authenticateUs(keys, () => count + Math.floor(Math.random() * 1e9), false);
  const flush = await watched(() => keys.flush());
  const changes = await watched(() => change(keys));
  const page = await watched(() => keys.list({ limit: 100, cursor: undefined }));
  return {
    loadMs: load.elapsedMs,
    loadPauseMs: load.pauseMs,
    residentBytes,
    rightUs,
    unknownUs,
    changes: 2 * CHANGES,
    changesMs: changes.elapsedMs,
    changesPauseMs: changes.pauseMs,
    flushedUses: Math.min(count, ROUNDS * PRESENTED),
    flushMs: flush.elapsedMs,
    flushPauseMs: flush.pauseMs,
    pageMs: page.elapsedMs,
  };
}

async function change(keys: IssuedKeys): Promise<void> {
  const ids: string[] = [];
  for (let number = 0; number < CHANGES; number++) {
    const name = resourceName.parse(`new-${number}`);
    ids.push((await keys.create({ name, permissions: ["gateway"], by: BY }, sets)).id);
  }
  for (const id of ids) await keys.revoke(id, BY);
}

/** The median over the rounds of the mean time; texts are new ones in each round, as those of requests are. */
function authenticateUs(keys: IssuedKeys, pick: () => number, use: boolean): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const texts = Array.from({ length: PRESENTED }, () =>
      Buffer.from(numbered(pick()).text).toString("latin1"),
    );
    let known = 0;
    const startedUs = threadUs();
    for (const text of texts) {
      const verdict = keys.reader.authenticate(text);
      if (!verdict.ok) continue;
      known += 1;
      keys.reader.markUsed(verdict.key.slot);
    }
    const elapsedUs = threadUs() - startedUs;
    if (known !== (use ? PRESENTED : 0)) throw new Error(`${known} of ${PRESENTED} keys were known`);
    return elapsedUs / PRESENTED;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

/** Does the work and tells how long it took, and for how long at most nothing else could run meanwhile. */
async function watched<T>(
  work: () => Promise<T>,
): Promise<{ result: T; elapsedMs: number; pauseMs: number }> {
  globalThis.gc?.();
  let lastUs = threadUs();
  let pauseUs = 0;
  const look = () => {
    const nowUs = threadUs();
    pauseUs = Math.max(pauseUs, nowUs - lastUs);
    lastUs = nowUs;
  };
  const timer = setInterval(look, 1);
  const started = performance.now();
  const result = await work();
  const elapsedMs = performance.now() - started;
  look();
  clearInterval(timer);
  return { result, elapsedMs, pauseMs: pauseUs / 1000 };
}

function threadUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function resident(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

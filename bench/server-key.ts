import { randomBytes } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callServer } from "#cli/control-client.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { openSeal } from "#vault/seal/index.ts";
import { atMost } from "./aims.ts";
import { dataDirOf, startClaviger } from "./claviger.ts";
import { type Contender, startUpstream } from "./contenders.ts";
import { type Figures, inTurns, type Measure, medianOf, ratioOf } from "./measure.ts";
import type { Bench, Part } from "./part.ts";
import { CHAT, runRate } from "./run-load.ts";
import { renderMeasures, renderRows, showCount, showMs } from "./table.ts";

const FILLED_AT_ONCE = 2_000;
const PER_SECOND = 200;
const MOST_RESEAL_S = 10;
const MOST_RATIO = 2;
const DEADLINE_MS = 120_000;
const [ALONE, BESIDE] = ["alone", "beside rotations"];

/** What the server key costs: setting, unlocking and rotating it over few and many secrets, and what clients notice. */
export const serverKeyPart: Part = {
  name: "server-key",
  title: "Server key",
  async run(bench) {
    await using undo = new AsyncDisposableStack();
    const upstream = await startUpstream(undo);
    const rows: string[][] = [];
    let last: Holder | undefined;
    for (const count of bench.plan.secrets) {
      await last?.[Symbol.asyncDispose]();
      last = undo.use(await startHolder(bench, upstream, count));
      rows.push([showCount(count), ...(await measureChanges(last, bench.plan.longTurns.rounds)).map(showMs)]);
    }
    if (last === undefined) throw new Error("no number of secrets is planned");
    const beside = await measureBeside(last, bench);
    const most = showCount(last.secrets);
    const reseal = Number.parseFloat((last.rotateMs / 1000).toFixed(3));
    return {
      body: `${TEXT}\n\n${renderRows(["secrets", "set", "unlock", "rotate"], rows)}\n\n${describeBeside(most)}\n\n${beside.body}`,
      aims: [
        atMost(`seconds to rotate the server key over ${most} secrets`, MOST_RESEAL_S, reseal),
        atMost(`p99 of ${PER_SECOND} chats a second beside rotations, of alone`, MOST_RATIO, beside.ratio),
      ],
    };
  },
};

const TEXT =
  "From the call to its answer, by the control socket: setting the key, which seals every secret anew in one " +
  "transaction; unlocking; rotating, which ends when every secret is sealed anew. Medians of all rounds but for setting it.";

function describeBeside(secrets: string): string {
  return `${PER_SECOND} chats a second, sent when they are due, while the key over ${secrets} secrets is rotated again and again.`;
}

/** A running server with so many secrets. */
class Holder implements AsyncDisposable {
  readonly contender: Contender;
  readonly secrets: number;
  /** The median, once it was measured. */
  rotateMs = Number.NaN;
  readonly #socketPath: string;
  readonly #undo: AsyncDisposableStack;
  #key = newKey();

  constructor(
    contender: Contender,
    secrets: number,
    parts: { socketPath: string; undo: AsyncDisposableStack },
  ) {
    this.contender = contender;
    this.secrets = secrets;
    this.#socketPath = parts.socketPath;
    this.#undo = parts.undo;
  }

  /** How long it took, in milliseconds. */
  set(): Promise<number> {
    return this.#timed("initialize", { key: this.#key });
  }

  async unlock(): Promise<number> {
    await this.#timed("lock");
    return this.#timed("unlock", { key: this.#key });
  }

  async rotate(): Promise<number> {
    const next = newKey();
    const took = await this.#timed("rotate", { current_key: this.#key, new_key: next });
    this.#key = next;
    return took;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  async #timed(verb: string, body?: Record<string, string>): Promise<number> {
    const began = performance.now();
    const { status } = await callServer({
      socketPath: this.#socketPath,
      method: "POST",
      path: `/api/v1/key/${verb}`,
      ...(body === undefined ? {} : { body }),
      deadlineMs: DEADLINE_MS,
    });
    if (status !== 200) throw new Error(`${verb} was answered ${status}`);
    return performance.now() - began;
  }
}

async function startHolder(
  { directory, program }: Bench,
  upstream: Awaited<ReturnType<typeof startUpstream>>,
  secrets: number,
): Promise<Holder> {
  await using undo = new AsyncDisposableStack();
  const name = `holder of ${secrets}`;
  const dataDir = dataDirOf(directory, name);
  // One more is the credential of the provider that is added below.
  await fillSecrets(dataDir, secrets - 1);
  const contender = await startClaviger(directory, upstream, { program, name, undo });
  const socketPath = path.join(dataDir, "run", "control.sock");
  return new Holder(contender, secrets, { socketPath, undo: undo.move() });
}

async function fillSecrets(dataDir: string, count: number): Promise<void> {
  const [clock, random] = [systemClock, systemRandom];
  await using database = await openSqlite({ dataDir, clock });
  const unused = () => Promise.reject(new Error("nothing of this is recorded"));
  await using seal = await openSeal({
    database,
    secretsDir: path.join(dataDir, "secrets"),
    clock,
    random,
    sealed: [],
    audit: { append: unused },
    log: { error: console.error, warn: console.error },
  });
  for (let from = 0; from < count; from += FILLED_AT_ONCE) {
    const rows = Array.from({ length: Math.min(FILLED_AT_ONCE, count - from) }, (_, offset) => {
      const key = `secret-${from + offset}`;
      const value = new Secret(randomBytes(36).toString("base64url"));
      const sealed = seal.sealValue({ table: "named_credential", column: "sealed", key }, value);
      return { name: key, hint: "", sealed, origin: null, proxy: null, created_at: 0, updated_at: 0 };
    });
    await database.insertRows("named_credential", rows);
  }
}

async function measureChanges(holder: Holder, rounds: number): Promise<number[]> {
  const set = await holder.set();
  const changes: Measure[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`server key over ${showCount(holder.secrets)} secrets, round ${round} of ${rounds}`);
    const figures = { unlock: await holder.unlock(), rotate: await holder.rotate() };
    changes.push({ workload: "changes", contender: "Claviger", figures });
  }
  holder.rotateMs = medianOf(changes, "Claviger", "rotate");
  return [set, medianOf(changes, "Claviger", "unlock"), holder.rotateMs];
}

async function measureBeside(holder: Holder, { plan }: Bench): Promise<{ body: string; ratio: number }> {
  const measures = await inTurns(
    "chats beside the server key",
    {
      turns: { ...plan.longTurns, durationMs: lastsAs(holder, plan.longTurns.durationMs) },
      contenders: [{ name: ALONE }, { name: BESIDE }],
    },
    ({ name }, durationMs) => chatsBeside(holder, name === BESIDE, durationMs),
  );
  const body = renderMeasures(measures, [
    { title: "p50", figure: "medianMs", show: showMs, of: [ALONE] },
    { title: "p99", figure: "p99Ms", show: showMs, of: [ALONE] },
    { title: "rotations", figure: "rotations", show: showCount },
  ]);
  return { body, ratio: ratioOf(measures, "p99Ms", [BESIDE, ALONE]) };
}

/** As long as a rotation at least, so that every part of one is felt. */
function lastsAs({ rotateMs }: Holder, durationMs: number): number {
  return Math.max(durationMs, Math.ceil(rotateMs));
}

async function chatsBeside(holder: Holder, rotating: boolean, durationMs: number): Promise<Figures> {
  const load = { over: false };
  const chats = runRate(holder.contender, CHAT, { perSecond: PER_SECOND, durationMs }).finally(() => {
    load.over = true;
  });
  let rotations = 0;
  while (rotating && !load.over) {
    await holder.rotate();
    rotations += 1;
  }
  const { medianMs, p99Ms } = await chats;
  // What goes on behind a rotation ends before the next round.
  if (rotating) await sleep(SETTLED_MS);
  return { medianMs, p99Ms, rotations };
}

const SETTLED_MS = 2_000;

/** A text of 43 characters; the keys of a benchmark protect nothing. */
function newKey(): string {
  return randomBytes(32).toString("base64url");
}

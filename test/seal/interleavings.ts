import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "../seeded-random.ts";
import { newKey, SealedStore } from "./sealed-store.ts";

/** What may become of an operation when others run beside it; anything else is a fault. */
const EXPECTED: ReadonlySet<string> = new Set([
  "key_initialized",
  "key_not_initialized",
  "seal_busy",
  "server_locked",
  "shutting_down",
  "wrong_key",
]);
const MOST_AT_ONCE = 6;
/** Secrets that nobody edits, so that sealing anew takes more than one batch. */
const QUIET = 300;

interface World {
  readonly store: SealedStore;
  readonly random: Random;
  /** Every key that was ever offered, and the one that opens the store now; undefined before the first. */
  readonly offered: Secret[];
  key: Secret | undefined;
  /** Whether its seal was closed: nothing opens it again before a restart. */
  closed: boolean;
  /** What was stored and answered, by name. */
  readonly values: Record<string, string>;
  edits: number;
}

/**
 * `rounds` times: a handful of operations at once on one store, each beginning a few turns of the event loop after the
 * round, then a look at everything. Which and when, `seed` tells; how the threads run, the machine.
 */
export async function runInterleavings(seed: number, rounds: number): Promise<void> {
  await using store = await SealedStore.start();
  const world: World = {
    store,
    random: seededRandom(seed),
    offered: [],
    key: undefined,
    closed: false,
    values: {},
    edits: 0,
  };
  for (let at = 0; at < QUIET; at++) world.values[`quiet-${at}`] = `value ${at}`;
  await store.put(world.values);
  for (let at = 0; at < MOST_AT_ONCE; at++) await edit(world, at, 2);
  for (let round = 0; round < rounds; round++) {
    const told = `seed ${seed}, round ${round}`;
    const operations = Array.from({ length: 2 + draw(world, MOST_AT_ONCE - 1) }, (_, at) => pick(world, at));
    const began = operations.map(async ({ name, run }) => {
      for (let turns = draw(world, 12); turns > 0; turns--) await nextTurn();
      await run().catch((error: unknown) => {
        if (!(error instanceof AppError && EXPECTED.has(error.code))) throw error;
      });
      return name;
    });
    const ends = await Promise.allSettled(began);
    for (const end of ends) expect(end, told).toMatchObject({ status: "fulfilled" });
    if (draw(world, 4) === 0) await store.restart();
    await look(world, `${told}: ${operations.map(({ name }) => name).join(", ")}`);
  }
}

function pick(world: World, at: number): { name: string; run: () => Promise<unknown> } {
  const { store, key } = world;
  const next = newKey();
  const offer = () => {
    world.offered.push(next);
    return next;
  };
  const operations = [
    { name: "edit", run: () => edit(world, at, 1 + draw(world, 2)) },
    { name: "edit", run: () => edit(world, at, 1) },
    { name: "lock", run: () => store.lock() },
    { name: "unlock", run: () => store.unlock(key ?? next) },
    { name: "unlock", run: () => store.unlock(world.key ?? next) },
    { name: "wrong unlock", run: () => expect(store.unlock(newKey())).rejects.toThrow(AppError) },
    { name: "initialize", run: () => store.initialize(offer(), draw(world, 2) === 0) },
    { name: "rotate", run: () => store.rotate(key ?? next, offer()) },
    { name: "rotate", run: () => store.rotate(key ?? next, offer()) },
    { name: "repair", run: () => store.rotate(key ?? next, key ?? next) },
    { name: "close", run: () => (draw(world, 3) === 0 ? close(world) : store.lock()) },
  ];
  return operations[draw(world, operations.length)] ?? { name: "nothing", run: async () => {} };
}

/** No two operations of a round edit the same secret: which of the two came last nobody could tell. */
async function edit(world: World, at: number, count: number): Promise<void> {
  const changed: Record<string, string> = {};
  for (let one = 0; one < count; one++) changed[`secret-${at}-${one}`] = `value ${world.edits++}`;
  await world.store.put(changed);
  Object.assign(world.values, changed);
}

async function close(world: World): Promise<void> {
  world.closed = true;
  await world.store.seal.close();
}

/** Exactly one key opens the store, and everything that was stored reads back. */
async function look(world: World, told: string): Promise<void> {
  const { store, offered } = world;
  if (world.closed) await store.restart();
  world.closed = false;
  if (store.seal.status().initialized) {
    if (!store.seal.isLocked()) await store.lock();
    const opening: Secret[] = [];
    for (const key of offered) {
      const opened = await store.unlock(key).then(
        () => true,
        (error: unknown) => {
          if (error instanceof AppError && error.code === "wrong_key") return false;
          throw error;
        },
      );
      if (opened) opening.push(key);
    }
    expect(opening, told).toHaveLength(1);
    world.key = opening[0];
  }
  await store.seal.settled();
  expect(await store.values(), told).toEqual(world.values);
  expect(await store.terms(), told).toHaveLength(1);
  expect(store.logged, told).toEqual([]);
  // Those of long ago are not tried for ever.
  const recent = offered.splice(0).slice(-6);
  offered.push(...new Set([...recent, ...(world.key === undefined ? [] : [world.key])]));
}

function draw({ random }: World, below: number): number {
  return random.bytes(1).readUInt8() % below;
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import type { ClusterState } from "#services/cluster/cluster.ts";
import { JoinBudget } from "#services/cluster/join/budget.ts";
import { JoinResponder } from "#services/cluster/join/responder.ts";
import { openShareStore } from "#services/cluster/join/share-store.ts";
import { openRoster } from "#services/cluster/members/open-roster.ts";
import { registerPin } from "#services/cluster/opaque.ts";
import { FakeClock } from "../fake-clock.ts";
import { seededRandom } from "../seeded-random.ts";
import { firstMessage, lastMessage } from "./hand-joiner.ts";

const CLUSTER_ID = "cluster_0000000000000001";
const NOBODY_ELSE = {
  ownId: "node_0000000000000001",
  clusterId: () => CLUSTER_ID,
  others: () => [],
  up: () => [],
  ask: async () => undefined,
};

export type JoinBench = Awaited<ReturnType<typeof openJoinBench>>;

/** The member's side of joins on a store and a clock of its own, without a server around it. */
export async function openJoinBench(seed: number) {
  const random = seededRandom(seed);
  const pin = String(random.bytes(4).readUInt32BE()).padStart(10, "7");
  const tlsKey = random.bytes(32).toString("base64url");
  const directory = mkdtempSync(join(tmpdir(), "claviger-join-"));
  const clock = new FakeClock();
  const database = await openSqlite({ dataDir: directory, clock });
  const opaque = await registerPin(new Secret(pin), CLUSTER_ID);
  const pepper = new Secret(random.bytes(32).toString("base64url"));
  const credentials = {
    ...{ clusterId: CLUSTER_ID, salt: random.bytes(32), epoch: 3, pinGeneration: 5 },
    ...{ iterations: 600_000, pepper, opaque },
    ...{ pinHash: "", memberToken: new Secret(""), nodeKey: new Secret("") },
  };
  const start = async (state: () => ClusterState) => {
    const monotonicMs = () => 0;
    const store = openShareStore(database);
    const budget = await JoinBudget.read({ store, clock, monotonicMs, members: NOBODY_ELSE });
    const roster = await openRoster({
      ...{ ownId: NOBODY_ELSE.ownId, cluster: { state }, database, clock },
      ...{ log: createLog({ level: "info", sink: { write: () => {} } }), monotonicMs: () => clock.now() },
      ...{ facts: () => undefined, isHeard: () => false },
    });
    const tlsKeys = () => [tlsKey];
    return { budget, responder: new JoinResponder({ state, budget, roster, tlsKeys, clock, random }) };
  };
  const held = { state: isMember(credentials) };
  const state = (): ClusterState => held.state;
  const bench = {
    ...{ random, pin, tlsKey, clock, credentials },
    get state(): ClusterState {
      return held.state;
    },
    set state(other: ClusterState) {
      held.state = other;
    },
    ...(await start(state)),
    /** As a start of the server does: nothing is left but the store. */
    restart: async () => void Object.assign(bench, await start(state)),
    /** Begins a run with a PIN. */
    begin: async (typed = pin) => {
      const first = await firstMessage(typed, tlsKey);
      return { first, answered: await bench.responder.start({ ...first.body, version: 1 }) };
    },
    /** A run up to its last message, with the right PIN. */
    beginWhole: async () => {
      const { first, answered } = await bench.begin();
      return required(await lastMessage(pin, first, answered));
    },
    joinWhole: async () => {
      const last = await bench.beginWhole();
      return { last, given: await bench.responder.finish(last.body, nothing) };
    },
    /** Begins so many and leaves; a restart ends each, since no time is to pass. */
    spend: async (runs: number) => {
      for (let run = 0; run < runs; run += 1) {
        await bench.begin();
        await bench.restart();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Records nothing. */
export const nothing = async (): Promise<void> => {};

/** What it came to: `done`, or the code of the refusal. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "done",
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      return error.code;
    },
  );
}

export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the right PIN is wrong");
  return value;
}

function isMember(
  credentials: Extract<ClusterState, { readonly status: "member" }>["credentials"],
): ClusterState {
  return { status: "member", credentials };
}

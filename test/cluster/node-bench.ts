import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import type { ClusterState } from "#services/cluster/cluster.ts";
import { HeardNodes } from "#services/cluster/members/heard.ts";
import type { MemberRecord } from "#services/cluster/members/member-record.ts";
import { openRoster } from "#services/cluster/members/open-roster.ts";
import { GreetedPresence } from "#services/cluster/members/presence.ts";
import type { Roster } from "#services/cluster/members/roster.ts";
import { newNodeKey } from "#services/cluster/new-credentials.ts";
import { FakeClock } from "../fake-clock.ts";
import { FakeTimers } from "../fake-timers.ts";
import { seededRandom } from "../seeded-random.ts";

/** A node as the others reach it, and what it told whoever listens. */
export interface BenchNode {
  readonly id: string;
  readonly clock: FakeClock;
  readonly database: Database;
  readonly roster: Roster;
  readonly presence: GreetedPresence;
  /** Its log. */
  readonly lines: string[];
  readonly events: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[];
  /** What it may be told to be. */
  readonly told: { token: string; generation: number; unlocked: boolean; models: string[] };
  /** How its heartbeats ended. */
  readonly outcomes: string[];
  /** The states of the others by their names. */
  states(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Nodes of one cluster that greet each other within this process, over a network that can be cut. */
export class NodeBench implements AsyncDisposable {
  readonly timers = new FakeTimers();
  readonly random = seededRandom(5);
  readonly nodes: Map<string, BenchNode> = new Map();
  readonly clusterId = newId("cluster", this.random);
  readonly #stack = new AsyncDisposableStack();
  #isCut = (_from: BenchNode, _to: BenchNode) => false;

  /** One more; `hostName` is what its machine is called. It knows nobody. */
  async open(hostName: string, clock = new FakeClock()): Promise<BenchNode> {
    const node = await openNode(this, hostName, clock);
    this.#stack.defer(() => node.close());
    this.nodes.set(node.id, node);
    return node;
  }

  /** Has `joiner` admitted by `member`, as a join does. */
  async join(joiner: BenchNode, member: BenchNode): Promise<MemberRecord> {
    const nodeKey = joiner.roster.self()?.node_key ?? "";
    const { database } = member;
    const given = joiner.roster.toAdmit(nodeKey);
    const admitted = await database.transaction((query) => member.roster.admit(query, given));
    await member.roster.merge([admitted]);
    const records = member.roster.records();
    await joiner.database.transaction((query) => joiner.roster.take(query, this.clusterId, records));
    await joiner.roster.load();
    return admitted;
  }

  /** No call from one to another gets through of which this is true. */
  cut(isCut: (from: BenchNode, to: BenchNode) => boolean): void {
    this.#isCut = isCut;
  }

  heal(): void {
    this.#isCut = () => false;
  }

  reach(from: BenchNode, id: string): BenchNode {
    const to = this.nodes.get(id);
    if (to !== undefined && !this.#isCut(from, to)) return to;
    throw new AppError("upstream_unreachable", undefined, { detail: "cut" });
  }

  /** Every node greets every other, so many times. */
  async greet(times = 1): Promise<void> {
    for (let time = 0; time < times; time += 1)
      for (const node of this.nodes.values()) await node.presence.greetAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

async function openNode(bench: NodeBench, hostName: string, clock: FakeClock): Promise<BenchNode> {
  const { random, timers } = bench;
  const dataDir = mkdtempSync(join(tmpdir(), "claviger-node-"));
  const database = await openSqlite({ dataDir, clock });
  const id = newId("node", random);
  const lines: string[] = [];
  const events: BenchNode["events"] = [];
  const log = createLog({ level: "info", sink: { write: (line) => void lines.push(line) } });
  const facts = {
    hostName,
    urls: [`https://10.0.0.${bench.nodes.size + 1}:8442`],
    tlsKeys: [random.bytes(32).toString("base64url")],
  };
  const told = { token: "one", generation: 1, unlocked: true, models: ["sim/m-1"] };
  const nodeKey = newNodeKey();
  const state = (): ClusterState => ({
    status: "member",
    credentials: {
      ...{ clusterId: bench.clusterId, salt: Buffer.alloc(32), epoch: 1, pinGeneration: told.generation },
      ...{ iterations: 600_000, pepper: new Secret(""), pinHash: "", memberToken: new Secret("") },
      opaque: { serverSetup: new Secret(""), record: "" },
      nodeKey,
    },
  });
  const heard = new HeardNodes(() => timers.monotonicMs());
  const roster = await openRoster({
    ...{ ownId: id, cluster: { state }, database, clock, log },
    monotonicMs: () => timers.monotonicMs(),
    facts: () => facts,
    isHeard: (other) => heard.isHeard(other),
  });
  const outcomes: string[] = [];
  const presence = new GreetedPresence({
    ...{ roster, state, heard, timers, clock, random, log },
    own: { version: "1", isUnlocked: () => told.unlocked, models: () => told.models },
    events: { publish: (type, data) => void events.push({ type, data }) },
    counted: (outcome) => void outcomes.push(outcome),
    calls: {
      call: async ({ id: calleeId }, _path, body) => {
        const callee = bench.reach(opened, calleeId);
        const known = callee.roster.byId(id);
        if (known === undefined || known.left || known.node_key !== roster.self()?.node_key)
          return { status: 401, json: undefined, hasPin: false };
        const hasPin = told.token === callee.told.token;
        await callee.presence.hear(id, JSON.parse(JSON.stringify(body)), hasPin);
        const answer: unknown = JSON.parse(JSON.stringify(callee.presence.heartbeats.greetingFor(id)));
        return { status: 200, json: answer, hasPin };
      },
    },
  });
  const opened: BenchNode = {
    ...{ id, clock, database, roster, presence, lines, events, told, outcomes },
    states: () =>
      Object.fromEntries(roster.others().map((other) => [other.name, presence.stateOf(other.id)])),
    close: async () => {
      await presence[Symbol.asyncDispose]();
      await database.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return opened;
}

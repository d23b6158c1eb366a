import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import type { Cluster } from "../cluster.ts";
import { publicNodeKey } from "../new-credentials.ts";
import { admittedRecord } from "./admission.ts";
import type { MemberRecord } from "./member-record.ts";
import {
  digestOf,
  inOrder,
  isGreater,
  liveOthers,
  type MemberList,
  mergeLists,
  mergeWithin,
} from "./merge.ts";
import { type OwnFacts, recordToAdmit, withOwnRecord } from "./own-record.ts";
import type { Roster } from "./roster.ts";
import { readMembers, removeAllMembers, removeMembers, writeLastSeen, writeMembers } from "./store.ts";

interface RosterParts {
  readonly ownId: string;
  readonly cluster: Pick<Cluster, "state">;
  readonly database: Database;
  readonly clock: Clock;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  readonly log: Log;
  /** Undefined until it is known where this server listens: till then it says nothing of itself. */
  readonly facts: () => Pick<OwnFacts, "hostName" | "urls" | "tlsKeys"> | undefined;
  /** Whether a node was heard within the last seconds. */
  readonly isHeard: (id: string) => boolean;
}

/** Of two servers with one data directory each would refute the other at every word. */
const REFUTE_EVERY_MS = 5000;

/** The roster of the cluster that the files are of. */
export async function openRoster(parts: RosterParts): Promise<Roster> {
  const roster = new StoredRoster(parts);
  await roster.load();
  return roster;
}

class StoredRoster implements Roster {
  readonly #parts: RosterParts;
  readonly #turn = new Turn();
  readonly #listeners: (() => void)[] = [];
  #clusterId: string | undefined;
  #list: MemberList = new Map();
  #digest = digestOf(new Map());
  #lastSeen = new Map<string, number>();
  #refutedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  get ownId(): string {
    return this.#parts.ownId;
  }

  self(): MemberRecord | undefined {
    return this.#list.get(this.ownId);
  }

  others(): readonly MemberRecord[] {
    return [...liveOthers(this.#list, this.ownId)].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  byId(id: string): MemberRecord | undefined {
    return this.#list.get(id);
  }

  records(): readonly MemberRecord[] {
    return inOrder(this.#list);
  }

  digest(): string {
    return this.#digest;
  }

  lastSeenMs(id: string): number | undefined {
    return this.#lastSeen.get(id);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  merge(records: readonly MemberRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      const name = this.self()?.name;
      await this.#keep(this.#corrected(mergeWithin(this.#list, this.#withoutEcho(records)), name));
    });
  }

  change(
    { name, left }: { readonly name?: string; readonly left?: true },
    record?: (query: Query) => Promise<void>,
  ): Promise<MemberRecord> {
    return this.#inTurn(async () => {
      const own = this.self();
      if (own === undefined) throw new AppError("cluster_closed");
      if (this.others().some((other) => other.name === name)) throw new AppError("node_exists");
      const changed = {
        ...own,
        name: name ?? own.name,
        left: left ?? own.left,
        seq: own.seq + 1,
      };
      await this.#keep(mergeLists(this.#list, [changed]), record);
      return this.#list.get(own.id) ?? changed;
    });
  }

  remove(id: string, record: (query: Query) => Promise<void>): Promise<MemberRecord> {
    return this.#inTurn(async () => {
      const known = this.#list.get(id);
      if (known === undefined || known.left || id === this.ownId) throw new AppError("not_found");
      const removed = { ...known, left: true, seq: known.seq + 1 };
      await this.#keep(mergeLists(this.#list, [removed]), record);
      return this.#list.get(id) ?? removed;
    });
  }

  async admit(query: Query, given: MemberRecord): Promise<MemberRecord> {
    const clusterId = this.#clusterId;
    if (clusterId === undefined) throw new AppError("cluster_closed");
    const { ownId, isHeard } = this.#parts;
    const admitted = admittedRecord(this.#list, given, { ownId, isHeard });
    await writeMembers(query, clusterId, { records: [admitted], nowMs: this.#parts.clock.now() });
    return admitted;
  }

  toAdmit(nodeKey: string): MemberRecord {
    const facts = this.#parts.facts();
    if (facts === undefined) throw new AppError("shutting_down");
    return recordToAdmit({ ...facts, id: this.ownId, nodeKey }, this.self());
  }

  async take(query: Query, clusterId: string, records: readonly MemberRecord[]): Promise<void> {
    const stored = await this.#read(query, clusterId);
    const merged = mergeLists(new Map(stored.map(({ record }) => [record.id, record])), records);
    await writeMembers(query, clusterId, { records: inOrder(merged), nowMs: this.#parts.clock.now() });
  }

  drop(query: Query): Promise<void> {
    return removeAllMembers(query);
  }

  load(): Promise<void> {
    return this.#inTurn(async () => {
      const state = this.#parts.cluster.state();
      this.#clusterId = state.status === "member" ? state.credentials.clusterId : undefined;
      const { query } = this.#parts.database;
      const stored = this.#clusterId === undefined ? [] : await this.#read(query, this.#clusterId);
      this.#lastSeen = new Map(stored.map(({ record, lastSeenMs }) => [record.id, lastSeenMs]));
      const records = stored.map(({ record }) => record);
      this.#list = mergeLists(new Map(), records);
      this.#digest = digestOf(this.#list);
      await this.#keep(this.#corrected(this.#list, this.self()?.name));
      this.#tell();
    });
  }

  refresh(): Promise<void> {
    return this.#inTurn(() => this.#keep(this.#corrected(this.#list, this.self()?.name)));
  }

  async keepLastSeen(seen: ReadonlyMap<string, number>): Promise<void> {
    for (const [id, ms] of seen) this.#lastSeen.set(id, ms);
    if (this.#clusterId !== undefined) await writeLastSeen(this.#parts.database, this.#clusterId, seen);
  }

  /** What is said of this server itself is not heard again so soon after it was refuted; that it was removed is. */
  #withoutEcho(records: readonly MemberRecord[]): readonly MemberRecord[] {
    const own = this.self();
    const said = records.find(({ id }) => id === this.ownId);
    if (own === undefined || said === undefined || said.left || !isGreater(said, own)) return records;
    const nowMs = this.#parts.monotonicMs();
    if (nowMs - this.#refutedMs < REFUTE_EVERY_MS) return records.filter((record) => record !== said);
    this.#refutedMs = nowMs;
    return records;
  }

  /** The list with what this server has to say of itself: whatever it was called there, its name is `name`. */
  #corrected(list: MemberList, name: string | undefined): MemberList {
    const state = this.#parts.cluster.state();
    const now = this.#parts.facts();
    if (state.status !== "member" || state.credentials.clusterId !== this.#clusterId) return list;
    if (now === undefined) return list;
    const nodeKey = publicNodeKey(state.credentials.nodeKey);
    return withOwnRecord(list, { ...now, id: this.ownId, nodeKey }, name);
  }

  /** Puts this list into the place of the one before, in the store too. */
  async #keep(next: MemberList, record: (query: Query) => Promise<void> = async () => {}): Promise<void> {
    const [clusterId, before] = [this.#clusterId, this.#list];
    const records = inOrder(next).filter((each) => before.get(each.id) !== each);
    const gone = [...before.keys()].filter((id) => !next.has(id));
    if (clusterId === undefined || (records.length === 0 && gone.length === 0)) return;
    const nowMs = this.#parts.clock.now();
    await this.#parts.database.transaction(async (query) => {
      await writeMembers(query, clusterId, { records, nowMs });
      await removeMembers(query, clusterId, gone);
      await record(query);
    });
    for (const { id } of records) if (!this.#lastSeen.has(id)) this.#lastSeen.set(id, nowMs);
    const wasLeft = before.get(this.ownId)?.left ?? false;
    this.#list = next;
    this.#digest = digestOf(next);
    if (this.self()?.left === true && !wasLeft)
      this.#parts.log.warn({}, "this node is no longer in the cluster: it left, or a member removed it");
    this.#tell();
  }

  #read(query: Query, clusterId: string) {
    return readMembers(query, clusterId, (id) =>
      this.#parts.log.warn({ name: id }, "what the store has of a node is damaged, and left out"),
    );
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = await this.#turn.take();
    try {
      return await work();
    } finally {
      done();
    }
  }
}

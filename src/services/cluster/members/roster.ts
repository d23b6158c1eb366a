import type { Query } from "#platform/storage/database.ts";
import type { MemberRecord } from "./member-record.ts";

/** Who is in the cluster: what every member knows of each, the same on all of them once they heard of each other. */
export interface Roster {
  readonly ownId: string;
  /** This server's own record; undefined in no cluster. */
  self(): MemberRecord | undefined;
  /** The live ones but itself, by name. */
  others(): readonly MemberRecord[];
  /** A node that is live or left. */
  byId(id: string): MemberRecord | undefined;
  /** All, by id. */
  records(): readonly MemberRecord[];
  /** Equal for equal lists. */
  digest(): string;
  /** Takes over what of it is newer, and refutes what of this server itself is not true. */
  merge(records: readonly MemberRecord[]): Promise<void>;
  /**
   * Changes its own record, in one transaction with `record`. Throws AppError `node_exists` for a name that is taken,
   * `cluster_closed` in no cluster.
   */
  change(
    change: { readonly name?: string; readonly left?: true },
    record?: (query: Query) => Promise<void>,
  ): Promise<MemberRecord>;
  /** Takes another one off the list, in one transaction with `record`. Throws AppError `not_found`. */
  remove(id: string, record: (query: Query) => Promise<void>): Promise<MemberRecord>;
  /**
   * Writes one that joins, under a name that is free, for `merge` to take it over once that is done. Throws AppError
   * `cluster_full`, `node_exists`.
   */
  admit(query: Query, given: MemberRecord): Promise<MemberRecord>;
  /** What this server joins with; `nodeKey` is its public key, and `clusterId` that of a cluster it was in before. */
  toAdmit(nodeKey: string): MemberRecord;
  /** Writes what a join brought, for `load` to read it. */
  take(query: Query, clusterId: string, records: readonly MemberRecord[]): Promise<void>;
  /** Forgets all nodes, within the transaction that leaves their cluster. */
  drop(query: Query): Promise<void>;
  /** Reads anew what the store has of the cluster that the files are of. */
  load(): Promise<void>;
  /** Looks whether its own record still is right. */
  refresh(): Promise<void>;
  /** When it was heard of last, before this start, by this server's clock; of one never heard when it was learnt of. */
  lastSeenMs(id: string): number | undefined;
  /** Keeps when nodes were heard of. */
  keepLastSeen(seen: ReadonlyMap<string, number>): Promise<void>;
  onChange(listener: () => void): void;
}

import type { AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import {
  type ClusterCredentials,
  type KeptCredentials,
  readCredentials,
  readKept,
  type StoredCredentials,
} from "./credential-files.ts";
import { stateText, tellState } from "./credential-state.ts";
import { watchCredentials } from "./credential-watch.ts";
import { keepCredentials } from "./keep-credentials.ts";
import { newCredentials } from "./new-credentials.ts";
import { finishRemoving, finishWriting } from "./write-credential-set.ts";

/** Whether this server is in a cluster; `closed` where its credentials are not as they must be. */
export type ClusterState = StoredCredentials;

export interface ClusterParts {
  /** `credentials/` of the configuration directory. */
  readonly directory: string;
  readonly database: Database;
  readonly random: Random;
  readonly audit: Pick<AuditRecorder, "append">;
  readonly log: Log;
}

/** This server's part in a cluster, as its credential files say, now and whenever they change. */
export interface Cluster extends Disposable {
  state(): ClusterState;
  /** Calls `listener` with each state that is another than the one before. */
  onChange(listener: (state: ClusterState) => void): void;
  /** Has `listener` done, before `init` settles, whenever this server began a cluster. */
  onInit(listener: (by: ChangeAuthor) => void | Promise<void>): void;
  /** Begins a cluster. Throws AppError `cluster_exists`, `cluster_closed`, `storage_full`, and nothing was changed. */
  init(pin: Secret, by: ChangeAuthor): Promise<ClusterCredentials>;
  /** Has `work` change the files, with what they say now, while nothing else changes them; they are read anew after it. */
  change<Result>(work: (state: ClusterState) => Promise<Result>): Promise<Result>;
  /**
   * What a join keeps: a member, also one of damaged files, joins its own cluster again. Throws AppError
   * `cluster_closed` where the files cannot be read or replaced.
   */
  kept(): KeptCredentials;
  /**
   * Takes over what a join brought, in one transaction with `record`. Throws what `init` throws; `cluster_exists` for
   * another cluster than the one it is in.
   */
  adopt(
    credentials: ClusterCredentials,
    by: ChangeAuthor,
    record: (query: Query) => Promise<void>,
  ): Promise<void>;
}

/** Reads the credentials and watches them from then on. What is wrong with them closes the cluster, and stops no start. */
export function openCluster(parts: ClusterParts): Cluster {
  return new OpenCluster(parts);
}

class OpenCluster implements Cluster {
  readonly #parts: ClusterParts;
  readonly #turn = new Turn();
  readonly #listeners: ((state: ClusterState) => void)[] = [];
  readonly #initListeners: ((by: ChangeAuthor) => void | Promise<void>)[] = [];
  readonly #watch: Disposable;
  #state: ClusterState;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { directory, log } = parts;
    this.#state = readCredentials(directory);
    if (this.#state.status !== "closed") this.#finishWriting();
    if (this.#state.status === "closed") tellState(log, this.#state);
    this.#watch = watchCredentials(directory, () => this.#read());
  }

  state(): ClusterState {
    return this.#state;
  }

  onChange(listener: (state: ClusterState) => void): void {
    this.#listeners.push(listener);
  }

  onInit(listener: (by: ChangeAuthor) => void | Promise<void>): void {
    this.#initListeners.push(listener);
  }

  async init(pin: Secret, by: ChangeAuthor): Promise<ClusterCredentials> {
    const done = await this.#turn.take();
    try {
      this.#requireNone();
      const credentials = await newCredentials(pin, this.#parts.random);
      await this.#keep(credentials, by, { action: "cluster.init" });
      for (const listener of this.#initListeners) await listener(by);
      return credentials;
    } finally {
      done();
    }
  }

  kept(): KeptCredentials {
    try {
      return readKept(this.#parts.directory);
    } catch (cause) {
      throw new AppError("cluster_closed", undefined, { cause });
    }
  }

  async adopt(
    credentials: ClusterCredentials,
    by: ChangeAuthor,
    record: (query: Query) => Promise<void>,
  ): Promise<void> {
    const done = await this.#turn.take();
    try {
      const { clusterId } = this.kept();
      if (clusterId !== undefined && clusterId !== credentials.clusterId)
        throw new AppError("cluster_exists");
      await this.#keep(credentials, by, { action: "cluster.join", record });
    } finally {
      done();
    }
  }

  async change<Result>(work: (state: ClusterState) => Promise<Result>): Promise<Result> {
    const done = await this.#turn.take();
    try {
      this.#read();
      return await work(this.#state);
    } finally {
      this.#read();
      done();
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #requireNone(): void {
    this.#read();
    if (this.#state.status === "member") throw new AppError("cluster_exists");
    if (this.#state.status === "closed") throw new AppError("cluster_closed");
  }

  /** With its record, or not at all: the files are written within the record's transaction. */
  async #keep(
    credentials: ClusterCredentials,
    by: ChangeAuthor,
    how: { readonly action: string; readonly record?: (query: Query) => Promise<void> },
  ): Promise<void> {
    try {
      await keepCredentials(this.#parts, credentials, { by, ...how });
    } finally {
      this.#read();
    }
  }

  #read(): void {
    const { directory, log } = this.#parts;
    const before = this.#state;
    const state = readCredentials(directory);
    if (stateText(state) === stateText(before)) return;
    this.#state = state;
    tellState(log, state);
    for (const listener of this.#listeners) listener(state);
  }

  #finishWriting(): void {
    try {
      finishRemoving(this.#parts.directory);
      finishWriting(this.#parts.directory);
    } catch {
      // A directory without writing: what is there is read all the same.
    }
  }
}

import type { EventSink } from "#platform/events/event.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { ClusterState } from "../cluster.ts";
import type { HeardNode, HeardNodes, NodeState } from "./heard.ts";
import { greetedMembers, Heartbeats, type OwnPresence, parseGreeting } from "./heartbeat.ts";
import { KEY_CHANGED, type MemberCalls } from "./member-calls.ts";
import type { MemberRecord } from "./member-record.ts";
import { NodeNews } from "./node-news.ts";
import type { Roster } from "./roster.ts";
import { Rounds } from "./rounds.ts";

/** Which nodes of the cluster live, as far as this server hears of them. */
export interface Presence {
  stateOf(id: string): NodeState;
  /** The others that are up. */
  upMembers(): readonly MemberRecord[];
  /** A round of heartbeats now. */
  greetSoon(): void;
  /** A round now; settles when every other answered or its deadline is over: ids that took it. */
  greetAll(): Promise<ReadonlySet<string>>;
}

export type HeartbeatOutcome = "ok" | "needs_pin" | "refused" | "unreachable";

export interface PresenceParts {
  readonly roster: Roster;
  readonly state: () => ClusterState;
  readonly calls: MemberCalls;
  readonly own: OwnPresence;
  readonly heard: HeardNodes;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly log: Log;
  readonly counted: (outcome: HeartbeatOutcome) => void;
}

const PATH = "/cluster/heartbeat";
const DEADLINE_MS = 3000;
const LOOK_EVERY_MS = 1000;
const KEEP_SEEN_EVERY_MS = 60_000;
const BYTE = 255;

/** Greets the other members every other second, and knows by their greetings and answers who lives. */
export class GreetedPresence implements Presence, AsyncDisposable {
  readonly heartbeats: Heartbeats;
  readonly #parts: PresenceParts;
  readonly #rounds: Rounds<MemberRecord>;
  readonly #news: NodeNews;
  /** Milliseconds since the Unix epoch at which nodes were heard, that are not in the store yet. */
  readonly #seen = new Map<string, number>();
  /** Nodes that show another key than the one they joined with: whoever it is, it is not spoken with. */
  readonly #changed = new Set<string>();
  #keptMs = 0;
  #look: Disposable | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    const { roster, random, timers } = parts;
    this.heartbeats = new Heartbeats(parts);
    this.#news = new NodeNews({ ...parts, stateOf: (id) => this.stateOf(id) });
    this.#rounds = new Rounds({
      timers,
      chance: () => (random.bytes(1)[0] ?? 0) / BYTE,
      members: () => greetedMembers(roster),
      greet: (member) => this.#greet(member),
      before: () => roster.refresh().catch((error: unknown) => this.#failed(error)),
    });
    roster.onChange(() => {
      this.#forgetUnknown();
      this.#news.look();
      this.greetSoon();
    });
  }

  /** From when it is known where this server listens. */
  start(): void {
    this.#keptMs = this.#parts.timers.monotonicMs();
    this.#rounds.start();
    this.#lookAgain();
  }

  stateOf(id: string): NodeState {
    const { roster, heard, state } = this.#parts;
    const now = state();
    const credentials = now.status === "member" ? now.credentials : undefined;
    if (id !== roster.ownId) return this.#changed.has(id) ? "down" : heard.stateOf(id, credentials);
    return credentials !== undefined && heard.hasNewerPin(credentials) ? "needs_pin" : "up";
  }

  upMembers(): readonly MemberRecord[] {
    return this.#parts.roster.others().filter(({ id }) => this.stateOf(id) === "up");
  }

  greetSoon(): void {
    this.#rounds.soon();
  }

  greetAll(): Promise<ReadonlySet<string>> {
    return this.#rounds.all();
  }

  /** What was heard of a node last; undefined since the start. */
  heardOf(id: string): HeardNode | undefined {
    return this.#parts.heard.get(id);
  }

  /** Milliseconds since the Unix epoch: when it was heard last, or learnt of. */
  lastSeenMs(id: string): number {
    return this.#seen.get(id) ?? this.#parts.roster.lastSeenMs(id) ?? 0;
  }

  /** A node that is known said this, as question or as answer. */
  async hear(id: string, json: unknown, hasPin: boolean): Promise<void> {
    const said = parseGreeting(json);
    if (said === undefined) throw new AppError("bad_request");
    await this.heartbeats.take(id, said, hasPin);
    this.#seen.set(id, this.#parts.clock.now());
    this.#news.look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rounds[Symbol.dispose]();
    this.#look?.[Symbol.dispose]();
    await this.#keepSeen();
  }

  async #greet(member: MemberRecord): Promise<boolean> {
    const { calls, counted } = this.#parts;
    const { id } = member;
    const body = this.heartbeats.greetingFor(id);
    if (body === undefined) return false;
    try {
      const { status, json, hasPin } = await calls.call(member, PATH, body, { deadlineMs: DEADLINE_MS });
      // Undefined where it was not the node that answered.
      if (status !== 200 || json === undefined) {
        this.#news.failed(id, `answered ${status}`);
        counted("refused");
        return false;
      }
      await this.hear(id, json, hasPin);
      this.#reached(id);
      counted(hasPin ? "ok" : "needs_pin");
      return hasPin;
    } catch (error) {
      if (!(error instanceof AppError)) this.#failed(error);
      const reason = error instanceof AppError ? (error.detail ?? error.code) : "failed";
      if (reason === KEY_CHANGED) this.#changed.add(id);
      this.#news.failed(id, reason);
      counted("unreachable");
      return false;
    }
  }

  #reached(id: string): void {
    this.#changed.delete(id);
    this.#news.reached(id);
  }

  #lookAgain(): void {
    this.#look = this.#parts.timers.after(LOOK_EVERY_MS, () => {
      this.#news.look();
      const nowMs = this.#parts.timers.monotonicMs();
      if (nowMs - this.#keptMs >= KEEP_SEEN_EVERY_MS) {
        this.#keptMs = nowMs;
        void this.#keepSeen();
      }
      this.#lookAgain();
    });
  }

  async #keepSeen(): Promise<void> {
    const seen = new Map(this.#seen);
    this.#seen.clear();
    await this.#parts.roster.keepLastSeen(seen).catch((error: unknown) => this.#failed(error));
  }

  #forgetUnknown(): void {
    const { heard, roster } = this.#parts;
    for (const id of heard.ids()) {
      const record = roster.byId(id);
      if (record !== undefined && !record.left) continue;
      heard.forget(id);
      this.#changed.delete(id);
      this.heartbeats.forget(id);
    }
  }

  #failed(error: unknown): void {
    const detail = error instanceof Error ? error.message : "";
    this.#parts.log.error({ detail }, "a heartbeat failed within this server; the next one follows");
  }
}

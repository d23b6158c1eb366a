import type { ClusterState } from "../cluster.ts";
import type { TermTold } from "../join/shares.ts";
import { type Greeting, greetingShape, MOST_MODELS } from "./greeting.ts";
import { digestOfModels, type HeardNodes } from "./heard.ts";
import type { MemberRecord } from "./member-record.ts";
import type { Roster } from "./roster.ts";

/** What this server tells of itself. */
export interface OwnPresence {
  readonly version: string;
  readonly isUnlocked: () => boolean;
  /** The whole names of its models, as far as they are known now. */
  readonly models: () => readonly string[];
}

interface HeartbeatParts {
  readonly roster: Pick<Roster, "records" | "digest" | "merge" | "byId">;
  readonly state: () => ClusterState;
  readonly own: OwnPresence;
  readonly heard: HeardNodes;
}

/** What nodes tell each other of joining. */
export interface JoiningTalk {
  /** Undefined where it was never opened. */
  readonly tell: () => TermTold | undefined;
  readonly hear: (from: string, told: TermTold) => Promise<void>;
}

/** What another node is known to have. */
interface Has {
  readonly listDigest: string;
  readonly modelsDigest: string | undefined;
}

/** What nodes say to each other, and what is learnt of it. Two exchanges make what a pair of them knows equal. */
export class Heartbeats {
  readonly #parts: HeartbeatParts;
  readonly #has = new Map<string, Has>();
  #joining: JoiningTalk | undefined;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** What is told of joining goes with what is said from now on, between those that proved the PIN. */
  carry(joining: JoiningTalk): void {
    this.#joining = joining;
  }

  /** What this node is told, as question or as answer; undefined in no cluster. */
  greetingFor(id: string): Greeting | undefined {
    const { state, roster, own, heard } = this.#parts;
    const now = state();
    if (now.status !== "member") return undefined;
    const known = heard.get(id);
    // Whoever did not prove the PIN is told no more than that this server is there.
    const has = known?.hasPin === true ? this.#has.get(id) : undefined;
    const models = own.models().slice(0, MOST_MODELS);
    const modelsDigest = digestOfModels(models);
    const joining = known?.hasPin === true ? this.#joining?.tell() : undefined;
    return {
      presence: {
        version: own.version,
        unlocked: own.isUnlocked(),
        models_digest: modelsDigest,
        epoch: now.credentials.epoch,
        pin_generation: now.credentials.pinGeneration,
        ...(has !== undefined && has.modelsDigest !== modelsDigest ? { models } : {}),
      },
      list_digest: roster.digest(),
      ...(known === undefined ? {} : { known_models_digest: digestOfModels(known.models) }),
      ...(has !== undefined && has.listDigest !== roster.digest() ? { records: [...roster.records()] } : {}),
      ...(joining === undefined ? {} : { joining }),
    };
  }

  /** Takes over what a node said; records, and what it says of joining, only from one that proved the PIN. */
  async take(id: string, said: Greeting, hasPin: boolean): Promise<void> {
    const { heard, roster } = this.#parts;
    heard.hear(id, said.presence, hasPin);
    const { list_digest: listDigest, known_models_digest: modelsDigest, records } = said;
    this.#has.set(id, { listDigest, modelsDigest });
    if (hasPin && records !== undefined && listDigest !== roster.digest()) await roster.merge(records);
    if (hasPin && said.joining !== undefined) await this.#joining?.hear(id, said.joining);
  }

  /** What it has is not known any more: it may have begun anew. */
  forget(id: string): void {
    this.#has.delete(id);
  }
}

/** What a member answered to a greeting; undefined where it is none. */
export function parseGreeting(json: unknown): Greeting | undefined {
  return greetingShape.safeParse(json).data;
}

/** The live ones, by their ids. */
export function greetedMembers(roster: Pick<Roster, "self" | "others">): ReadonlyMap<string, MemberRecord> {
  const own = roster.self();
  // One that was removed has nobody to greet.
  if (own === undefined || own.left) return new Map();
  return new Map(roster.others().map((member) => [member.id, member]));
}

import type { EventSink, EventType } from "#platform/events/event.ts";
import type { Log } from "#platform/log/log.ts";
import type { HeardNodes, NodeState } from "./heard.ts";
import { KEY_CHANGED } from "./member-calls.ts";
import type { MemberRecord } from "./member-record.ts";
import type { Roster } from "./roster.ts";

interface NodeNewsParts {
  readonly roster: Pick<Roster, "others" | "ownId" | "self">;
  readonly heard: HeardNodes;
  readonly stateOf: (id: string) => NodeState;
  readonly events: EventSink;
  readonly log: Log;
}

/** A node as it was told of the last time. */
interface Told {
  readonly id: string;
  readonly name: string;
  readonly state: NodeState;
  readonly unlocked: boolean;
  readonly version: string | undefined;
}

/** Tells of nodes that come, go and change: events for who listens, and a line of the log, each once. */
export class NodeNews {
  readonly #parts: NodeNewsParts;
  readonly #told = new Map<string, Told>();
  /** Why a node was not reached the last time. */
  readonly #failures = new Map<string, string>();
  #ownState: NodeState = "up";

  constructor(parts: NodeNewsParts) {
    this.#parts = parts;
    // Those of before the start are no news.
    for (const record of parts.roster.others()) this.#told.set(record.id, this.#factsOf(record));
  }

  reached(id: string): void {
    this.#failures.delete(id);
  }

  failed(id: string, reason: string): void {
    const before = this.#failures.get(id);
    this.#failures.set(id, reason);
    const name = this.#told.get(id)?.name;
    if (reason === KEY_CHANGED && before !== KEY_CHANGED)
      this.#parts.log.warn(
        { name, reason },
        "a node shows another certificate than the one it joined with; it is not spoken with until it joins again",
      );
  }

  /** Compares with what was told, and tells the difference. */
  look(): void {
    const { roster, stateOf, ownId } = { ...this.#parts, ownId: this.#parts.roster.ownId };
    const members = roster.others();
    const ids = new Set(members.map(({ id }) => id));
    for (const record of members) this.#lookAt(record);
    for (const [id, told] of this.#told) {
      if (ids.has(id)) continue;
      this.#told.delete(id);
      this.#failures.delete(id);
      this.#publish("node.left", { ...told, state: "down" });
    }
    const own = stateOf(ownId);
    if (own === "needs_pin" && this.#ownState !== own)
      this.#parts.log.warn({}, "the other members have a newer PIN; type it here, too: claviger reset-pin");
    this.#ownState = own;
  }

  #lookAt(record: MemberRecord): void {
    const before = this.#told.get(record.id);
    const now = this.#factsOf(record);
    this.#told.set(record.id, now);
    if (before === undefined) return this.#publish("node.joined", now);
    if (before.state !== now.state) this.#turned(now);
    const isKnown = before.version !== undefined;
    const saysOther = before.unlocked !== now.unlocked || before.version !== now.version;
    if (before.name !== now.name || (isKnown && saysOther)) this.#publish("node.changed", now);
  }

  #turned(now: Told): void {
    const { log } = this.#parts;
    const { id, name, state } = now;
    this.#publish(`node.${state}`, now);
    if (state === "up") return log.info({ name }, "a node of the cluster is up");
    const reason = this.#failures.get(id) ?? "silent";
    if (state === "down") return log.warn({ name, reason }, "a node of the cluster is down");
    log.warn({ name }, "a node of the cluster has an older PIN; type the new one there: claviger reset-pin");
  }

  #factsOf({ id, name }: MemberRecord): Told {
    const { heard, stateOf } = this.#parts;
    const known = heard.get(id);
    return {
      id,
      name,
      state: stateOf(id),
      unlocked: known?.unlocked ?? false,
      version: known?.version,
    };
  }

  #publish(type: EventType, { id, name, state, unlocked }: Told): void {
    this.#parts.events.publish(type, { id, name, state, unlocked });
  }
}

import { sha256 } from "#platform/lib/hmac.ts";
import type { PresenceFacts } from "./greeting.ts";

export type NodeState = "up" | "down" | "needs_pin";

/** What was heard of a node the last time. */
export interface HeardNode {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  readonly version: string;
  readonly unlocked: boolean;
  readonly models: readonly string[];
  readonly epoch: number;
  readonly pinGeneration: number;
  /** Whether it proved this server's PIN. */
  readonly hasPin: boolean;
}

/** Which of two PINs is the newer one. */
type PinAge = Pick<HeardNode, "epoch" | "pinGeneration">;

/** Who was not heard for so long is down. */
const SILENT_MS = 8000;

/** What the other nodes say of themselves, and since when they are silent. */
export class HeardNodes {
  readonly #heard = new Map<string, HeardNode>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Models that it does not tell are those it told before, till it tells others. */
  hear(id: string, facts: PresenceFacts, hasPin: boolean): void {
    this.#heard.set(id, {
      atMs: this.#monotonicMs(),
      version: facts.version,
      unlocked: facts.unlocked,
      models: facts.models ?? this.#heard.get(id)?.models ?? [],
      epoch: facts.epoch,
      pinGeneration: facts.pin_generation,
      hasPin,
    });
  }

  get(id: string): HeardNode | undefined {
    return this.#heard.get(id);
  }

  /** Nothing of it is known any more. */
  forget(id: string): void {
    this.#heard.delete(id);
  }

  ids(): readonly string[] {
    return [...this.#heard.keys()];
  }

  isHeard(id: string): boolean {
    const heard = this.#heard.get(id);
    return heard !== undefined && this.#monotonicMs() - heard.atMs < SILENT_MS;
  }

  /** One that is heard and has another PIN needs this server's, unless its own is the newer one. */
  stateOf(id: string, own: PinAge | undefined): NodeState {
    const heard = this.#heard.get(id);
    if (heard === undefined || own === undefined || !this.isHeard(id)) return "down";
    if (heard.hasPin) return "up";
    return isNewer(heard, own) ? "down" : "needs_pin";
  }

  /** Whether somebody who is heard has a newer PIN than this server. */
  hasNewerPin(own: PinAge): boolean {
    return [...this.#heard].some(([id, node]) => !node.hasPin && this.isHeard(id) && isNewer(node, own));
  }
}

/** SHA-256 of the names, a line each, base64url. */
export function digestOfModels(models: readonly string[]): string {
  return sha256(models.join("\n")).toString("base64url");
}

function isNewer(one: PinAge, other: PinAge): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.pinGeneration > other.pinGeneration);
}

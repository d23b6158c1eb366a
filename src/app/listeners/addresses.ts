import { chmodSync } from "node:fs";
import type { Front, GatewayFront } from "#platform/http/front.ts";
import { type Listener, type ListenerOptions, openListener } from "#platform/http/listener.ts";
import { claimPort } from "#platform/http/port-claim.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { newRequestId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { TlsMaterial } from "#platform/tls/material.ts";
import { listenerKey, type TcpTarget } from "../workers/protocol.ts";
import type { Workers } from "../workers/workers.ts";
import { brokenTold } from "./broken.ts";
import type { SpecTarget } from "./spec.ts";
import { clearSocket } from "./unix-socket.ts";

const SOCKET_MODE = 0o600;

/** An address as it is to be open. */
export interface WantedAddress {
  /** What it is known by from one configuration to the next. */
  readonly key: string;
  readonly target: SpecTarget;
  readonly policy: ListenerPolicy;
  readonly tls: TlsMaterial | undefined;
}

interface OpenAddress {
  wanted: WantedAddress;
  readonly listener: Listener;
  /** Where the other threads listen, too. */
  readonly shared: TcpTarget | undefined;
}

export interface AddressParts {
  readonly front: Front;
  readonly gatewayFront: GatewayFront;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly workers: Workers;
}

/** The addresses that are open, in every thread. */
export class Addresses {
  readonly #parts: AddressParts;
  readonly #open = new Map<string, OpenAddress>();
  readonly #claims = new Map<string, AsyncDisposable>();
  /** By what a worker calls them; one that drains is still here. */
  readonly #relayed = new Map<string, Listener>();
  readonly #draining = new Set<Promise<void>>();

  constructor(parts: AddressParts) {
    this.#parts = parts;
  }

  get(key: string): WantedAddress | undefined {
    return this.#open.get(key)?.wanted;
  }

  all(): readonly { readonly wanted: WantedAddress; readonly listener: Listener }[] {
    return [...this.#open.values()];
  }

  /** The policy under which a request came in by another thread. */
  policyOf(listener: string): ListenerPolicy | undefined {
    return this.#relayed.get(listener)?.policy;
  }

  /** Makes sure that a port which threads are to share is this process's own. Throws StartError where it is not. */
  async claim({ key, target }: WantedAddress): Promise<void> {
    if (this.#isShared(target) && target.port !== 0) this.#claims.set(key, await claimPort(target));
  }

  /** Gives up the claim of an address that is not open. */
  async release(key: string): Promise<void> {
    const claim = this.#claims.get(key);
    this.#claims.delete(key);
    await claim?.[Symbol.asyncDispose]();
  }

  /** Opens a claimed one in every thread, or throws StartError and leaves nothing open. */
  async open(wanted: WantedAddress): Promise<void> {
    const { workers } = this.#parts;
    const { key, target, policy, tls } = wanted;
    await using undo = new AsyncDisposableStack();
    if ("socketPath" in target) await clearSocket(target.socketPath);
    const sharesPort = this.#isShared(target);
    const listener = await this.#bind({ target, policy, tls, sharesPort });
    undo.defer(() => listener.close(0));
    if ("socketPath" in target) chmodSync(target.socketPath, target.mode ?? SOCKET_MODE);
    const shared = sharesPort && "port" in listener.target ? listener.target : undefined;
    if (shared !== undefined) {
      this.#relayed.set(listenerKey(shared), listener);
      undo.defer(() => this.#forget(shared, listener));
      undo.defer(() => workers.unlisten(shared, 0));
      await workers.listen({ target: shared, policy, tls });
    }
    this.#open.set(key, { wanted, listener, shared });
    undo.move();
  }

  /** Gives an open one another policy and other certificates; settles when every thread has them. */
  async adjust(wanted: WantedAddress): Promise<void> {
    const open = this.#open.get(wanted.key);
    if (open === undefined) return;
    const { policy, tls } = wanted;
    const secured = tls !== undefined && tls !== open.wanted.tls;
    open.wanted = wanted;
    open.listener.policy = policy;
    if (secured) open.listener.secure(tls);
    if (open.shared) await this.#parts.workers.listenAs({ target: open.shared, policy, tls });
  }

  /** Settles when no thread accepts there any more; what runs may end within `drainMs`. */
  async close(key: string, drainMs: number): Promise<void> {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    const { listener, shared } = open;
    const closing = listener.close(drainMs).then(() => {
      this.#draining.delete(closing);
      if (shared) this.#forget(shared, listener);
    });
    this.#draining.add(closing);
    if (shared) await this.#parts.workers.unlisten(shared, drainMs);
    await this.release(key);
  }

  /** Closes all of this thread; settles when what ran has ended or `drainMs` is over. The others end by themselves. */
  async end(drainMs: number): Promise<void> {
    const open = [...this.#open.values()];
    await Promise.all([...open.map(({ listener }) => listener.close(drainMs)), ...this.#draining]);
    this.#open.clear();
    for (const key of [...this.#claims.keys()]) await this.release(key);
  }

  #isShared(target: SpecTarget): target is TcpTarget {
    return "port" in target && this.#parts.workers.count > 0;
  }

  #forget(target: TcpTarget, listener: Listener): void {
    const name = listenerKey(target);
    if (this.#relayed.get(name) === listener) this.#relayed.delete(name);
  }

  #bind(options: Pick<ListenerOptions, "target" | "policy" | "tls" | "sharesPort">): Promise<Listener> {
    const { front, gatewayFront, clock, random, log, metrics } = this.#parts;
    return openListener({
      ...options,
      front,
      gatewayFront,
      newRequestId: () => newRequestId(clock.now(), random),
      ...brokenTold({ log, metrics }),
    });
  }
}

/** One that is gone, or speaks otherwise from now on, stands in the way of a new one on its port. */
export function mustYield(
  old: WantedAddress,
  wanted: readonly WantedAddress[],
  fresh: readonly WantedAddress[],
): boolean {
  const stays = wanted.some(({ key }) => key === old.key) && !fresh.some(({ key }) => key === old.key);
  if (stays) return false;
  const { target } = old;
  return fresh.some((address) =>
    "port" in target && "port" in address.target && target.port !== 0
      ? address.target.port === target.port
      : address.key === old.key,
  );
}

import { chmodSync } from "node:fs";
import type { Front } from "#platform/http/front.ts";
import { type Listener, type ListenerOptions, openListener } from "#platform/http/listener.ts";
import { claimPort } from "#platform/http/port-claim.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import { newId } from "#platform/lib/id.ts";
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
  readonly shared: { readonly target: TcpTarget; readonly claim: AsyncDisposable | undefined } | undefined;
}

export interface AddressParts {
  readonly front: Front;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly workers: Workers;
}

/** The addresses that are open, in every thread. */
export class Addresses {
  readonly #parts: AddressParts;
  readonly #open = new Map<string, OpenAddress>();
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

  /** Opens it in every thread, or throws StartError and leaves nothing behind. */
  async open(wanted: WantedAddress): Promise<void> {
    const { workers } = this.#parts;
    const { key, target, policy, tls } = wanted;
    await using undo = new AsyncDisposableStack();
    const sharesPort = "port" in target && workers.count > 0;
    const claim = sharesPort && target.port !== 0 ? undo.use(await claimPort(target)) : undefined;
    if ("socketPath" in target) await clearSocket(target.socketPath);
    const listener = await this.#bind({ target, policy, tls, sharesPort });
    undo.defer(() => listener.close(0));
    if ("socketPath" in target) chmodSync(target.socketPath, target.mode ?? SOCKET_MODE);
    if (!sharesPort || "socketPath" in listener.target) {
      this.#open.set(key, { wanted, listener, shared: undefined });
    } else {
      const shared = { target: listener.target, claim };
      this.#relayed.set(listenerKey(shared.target), listener);
      undo.defer(() => this.#forget(shared.target, listener));
      undo.defer(() => workers.unlisten(shared.target, 0));
      await workers.listen({ target: shared.target, policy, tls });
      this.#open.set(key, { wanted, listener, shared });
    }
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
    if (open.shared) await this.#parts.workers.listenAs({ target: open.shared.target, policy, tls });
  }

  /** Settles when no thread accepts there any more; what runs may end within `drainMs`. */
  async close(key: string, drainMs: number): Promise<void> {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    const { listener, shared } = open;
    const closing = listener.close(drainMs).then(() => {
      this.#draining.delete(closing);
      if (shared) this.#forget(shared.target, listener);
    });
    this.#draining.add(closing);
    if (shared === undefined) return;
    await this.#parts.workers.unlisten(shared.target, drainMs);
    await shared.claim?.[Symbol.asyncDispose]();
  }

  /** Closes all of this thread; settles when what ran has ended or `drainMs` is over. The others end by themselves. */
  async end(drainMs: number): Promise<void> {
    const open = [...this.#open.values()];
    await Promise.all([...open.map(({ listener }) => listener.close(drainMs)), ...this.#draining]);
    this.#open.clear();
    for (const { shared } of open) await shared?.claim?.[Symbol.asyncDispose]();
  }

  #forget(target: TcpTarget, listener: Listener): void {
    const name = listenerKey(target);
    if (this.#relayed.get(name) === listener) this.#relayed.delete(name);
  }

  #bind(options: Pick<ListenerOptions, "target" | "policy" | "tls" | "sharesPort">): Promise<Listener> {
    const { front, random, log, metrics } = this.#parts;
    return openListener({
      ...options,
      front,
      newRequestId: () => newId("req", random),
      ...brokenTold({ log, metrics }),
    });
  }
}

import { connect, type Socket } from "node:net";

/** How long an address may take before the next is tried beside it (RFC 8305 section 8). */
const NEXT_AFTER_MS = 250;
const MAX_ADDRESSES = 8;
const READ_AHEAD = { highWaterMark: 64 * 1024 };
const PROBE_IDLE_AFTER_MS = 60_000;

/**
 * Connects to the first of these addresses that accepts; the others are closed. Only what is given is dialled:
 * nothing is resolved here. Rejects with the last address's error, or the signal's reason.
 */
export function dialFirst(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const race = new Race({ addresses: addresses.slice(0, MAX_ADDRESSES), port });
    const onAbort = () => race.lose(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    race.run((outcome) => {
      signal.removeEventListener("abort", onAbort);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
  });
}

class Race {
  readonly #addresses: readonly string[];
  readonly #port: number;
  readonly #open = new Set<Socket>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #end: ((outcome: Socket | Error) => void) | undefined;

  constructor(to: { addresses: readonly string[]; port: number }) {
    this.#addresses = to.addresses;
    this.#port = to.port;
  }

  run(end: (outcome: Socket | Error) => void): void {
    this.#end = end;
    this.#tryNext(new Error("there is no address to dial"));
  }

  lose(reason: Error): void {
    this.#finish(reason);
  }

  #tryNext(lastError: Error): void {
    clearTimeout(this.#timer);
    const address = this.#addresses[this.#next];
    if (address === undefined) {
      if (this.#open.size === 0) this.#finish(lastError);
      return;
    }
    this.#next += 1;
    this.#timer = setTimeout(() => this.#tryNext(lastError), NEXT_AFTER_MS);
    this.#dial(address);
  }

  #dial(host: string): void {
    const socket = connect({
      host,
      port: this.#port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_IDLE_AFTER_MS,
      ...READ_AHEAD,
      lookup: refuseLookup,
    });
    this.#open.add(socket);
    socket.on("error", (error) => {
      if (this.#open.delete(socket)) this.#tryNext(error);
    });
    socket.once("connect", () => {
      if (this.#open.delete(socket)) this.#finish(socket);
    });
  }

  #finish(outcome: Socket | Error): void {
    clearTimeout(this.#timer);
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
    this.#end?.(outcome);
    this.#end = undefined;
  }
}

/** An address needs no lookup; should one be asked for all the same, the connection fails instead. */
function refuseLookup(_name: string, _options: object, done: (error: Error, address: string) => void): void {
  done(new Error("only checked addresses are dialled"), "");
}

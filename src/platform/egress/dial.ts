import { connect, type OnReadOpts, type Socket } from "node:net";

/** How long an address may take before the next is tried beside it (RFC 8305 section 8). */
const NEXT_AFTER_MS = 250;
const MAX_ADDRESSES = 8;
const READ_AHEAD = { highWaterMark: 64 * 1024 };
const PROBE_IDLE_AFTER_MS = 60_000;

/** Where to connect. */
export interface DialTarget {
  readonly addresses: readonly string[];
  readonly port: number;
  /** What comes is read into memory of all sockets, and only `receiveFrom` gives it: no `data` event does. */
  readonly sharesMemory: boolean;
}

type Receiver = (bytes: Buffer) => void;

/** Taken up by one read at a time, and given on before the next: a socket's own would be made anew for each. */
const shared = Buffer.allocUnsafeSlow(READ_AHEAD.highWaterMark);
/** Who is given what such a socket reads. */
const readings = new WeakMap<Socket, { receiver: Receiver }>();

/** Gives what the socket reads from now on, of any socket; the bytes are good until the receiver returns. */
export function receiveFrom(socket: Socket, receiver: Receiver): void {
  const reading = readings.get(socket);
  if (reading !== undefined) reading.receiver = receiver;
  // A tunnel leaves its socket paused.
  else socket.on("data", receiver).resume();
}

/**
 * Connects to the first of these addresses that accepts; the others are closed. Only what is given is dialled:
 * nothing is resolved here. Rejects with the last address's error, or the signal's reason.
 */
export function dialFirst(to: DialTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const race = new Race({ ...to, addresses: to.addresses.slice(0, MAX_ADDRESSES) });
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
  readonly #to: DialTarget;
  readonly #open = new Set<Socket>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #end: ((outcome: Socket | Error) => void) | undefined;

  constructor(to: DialTarget) {
    this.#to = to;
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
    const address = this.#to.addresses[this.#next];
    if (address === undefined) {
      if (this.#open.size === 0) this.#finish(lastError);
      return;
    }
    this.#next += 1;
    this.#timer = setTimeout(() => this.#tryNext(lastError), NEXT_AFTER_MS);
    this.#dial(address);
  }

  #dial(host: string): void {
    // Who speaks before anyone listens has not been asked.
    const reading = { receiver: () => void socket.destroy() };
    const socket: Socket = connect({
      host,
      port: this.#to.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_IDLE_AFTER_MS,
      ...READ_AHEAD,
      lookup: refuseLookup,
      ...(this.#to.sharesMemory ? { onread: readShared(reading) } : {}),
    });
    if (this.#to.sharesMemory) readings.set(socket, reading);
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

function readShared(reading: { readonly receiver: Receiver }): OnReadOpts {
  return {
    buffer: shared,
    callback: (length) => {
      reading.receiver(shared.subarray(0, length));
      return true;
    },
  };
}

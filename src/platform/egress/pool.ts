import type { Socket } from "node:net";
import { AppError } from "../lib/error.ts";
import type { AtTurnsEnd, LoopTurns } from "../lib/loop-turns.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { Call, CallPlace } from "./exchange.ts";

const MAX_WAITING = 1024;
/** Of a connection that nothing was sent on yet. */
const NEVER = -1;

interface Idle {
  readonly connection: Connection;
  /** The turn in which it became free. */
  readonly since: number;
}

/** The connections to one origin as one upstream reaches it, and the calls that wait for one. */
export class Pool implements ConnectionOwner, CallPlace, AtTurnsEnd {
  readonly #connect: () => Promise<Socket>;
  readonly #turns: LoopTurns;
  readonly #mostConnections: number;
  readonly #all = new Set<Connection>();
  /** The last used is used next. */
  readonly #idle: Idle[] = [];
  /** Those who have waited longest first; mostly one or none, for no longer than a turn. */
  readonly #waiting: Call[] = [];
  #dialling = 0;
  #isAwaitingEnd = false;
  #onEmpty: (() => void) | undefined;
  #destroyed = false;

  /** At most `mostConnections` are open at once. */
  constructor(connect: () => Promise<Socket>, turns: LoopTurns, mostConnections: number) {
    this.#connect = connect;
    this.#turns = turns;
    this.#mostConnections = mostConnections;
  }

  /** Whether as many calls wait as may. */
  get full(): boolean {
    return this.#unserved() >= MAX_WAITING;
  }

  /** Sends the call on a kept connection or on a new one. Its failure comes to its handler. */
  take(call: Call): void {
    call.moveTo(this, "connecting");
    this.#waiting.push(call);
    this.#dialIfNeeded();
    if (this.#idle.length > 0) this.#serveSoon();
  }

  leave(call: Call): void {
    this.#remove(call);
    this.#leaveIfEmpty();
  }

  /** Nothing is read while a call waits. */
  pause(): void {}

  resume(): void {}

  onFree(connection: Connection): void {
    if (connection.closed) return;
    this.#idle.push({ connection, since: this.#turns.now });
    // The turns go on, so that this connection may be used once something was read after its answer.
    this.#serveSoon();
    this.#leaveIfEmpty();
  }

  onClosed(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.findIndex((idle) => idle.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#dialIfNeeded();
    this.#leaveIfEmpty();
  }

  /** Takes no more calls, finishes those it has, and then tells. */
  retire(onEmpty: () => void): void {
    this.#onEmpty = onEmpty;
    this.#leaveIfEmpty();
  }

  /** Ends every connection and every call; settles when the connections are closed. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    const error = new AppError("upstream_failed", undefined, { detail: "the server stops" });
    for (const call of [...this.#waiting]) call.fail(error);
    await Promise.all([...this.#all].map((connection) => connection.fail(error)));
  }

  /** Calls for which there is neither an idle connection nor one on its way. */
  #unserved(): number {
    return this.#waiting.length - this.#dialling - this.#idle.length;
  }

  #dialIfNeeded(): void {
    while (this.#unserved() > 0 && this.#all.size + this.#dialling < this.#mostConnections) this.#dial();
  }

  #dial(): void {
    this.#dialling += 1;
    this.#connect().then(
      (socket) => {
        this.#dialling -= 1;
        this.#open(socket);
      },
      (error: unknown) => {
        this.#dialling -= 1;
        this.#onRefused(error instanceof AppError ? error : new AppError("upstream_unreachable"));
      },
    );
  }

  #open(socket: Socket): void {
    if (this.#destroyed) return void socket.destroy();
    const connection = new Connection(socket, this);
    this.#all.add(connection);
    const [call] = this.#waiting;
    if (call === undefined) {
      this.#idle.push({ connection, since: NEVER });
      connection.rest();
      this.#leaveIfEmpty();
    } else this.#send(connection, call);
  }

  /** One call fails for each dial that fails; none when another connection has served it meanwhile. */
  #onRefused(error: AppError): void {
    const [call] = this.#waiting;
    if (call !== undefined && this.#unserved() > 0) call.fail(error);
    this.#dialIfNeeded();
    this.#leaveIfEmpty();
  }

  #serveSoon(): void {
    if (this.#isAwaitingEnd) return;
    this.#isAwaitingEnd = true;
    this.#turns.soon(this);
  }

  /** Connections that became free in this turn wait for the next: what their upstream says unasked is read first. */
  onTurnsEnd(turn: number): void {
    this.#isAwaitingEnd = false;
    const fresh: Idle[] = [];
    for (let call = this.#waiting[0]; call !== undefined; call = this.#waiting[0]) {
      const idle = this.#takeIdle(turn, fresh);
      if (idle === undefined) break;
      this.#send(idle, call);
    }
    for (const idle of fresh) if (!idle.connection.closed) this.#idle.push(idle);
    if (this.#waiting.length > 0 && this.#idle.length > 0) this.#serveSoon();
    this.#dialIfNeeded();
  }

  #takeIdle(turn: number, fresh: Idle[]): Connection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.since < turn) return idle.connection;
      fresh.push(idle);
    }
    return undefined;
  }

  #send(connection: Connection, call: Call): void {
    this.#remove(call);
    connection.send(call);
  }

  #remove(call: Call): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #leaveIfEmpty(): void {
    if (this.#onEmpty === undefined || this.#waiting.length > 0) return;
    for (const { connection } of [...this.#idle]) connection.destroy();
    if (this.#all.size === 0 && this.#dialling === 0) this.#onEmpty();
  }
}

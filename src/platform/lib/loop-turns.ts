/** Has something to do once all was read that this turn of the event loop brought. */
export interface AtTurnsEnd {
  onTurnsEnd(turn: number): void;
}

/**
 * Counts the turns of the event loop as far as anyone waits for one. A turn ends after everything that had arrived
 * when it began was read, and who waits is told then, in whatever number with one callback of the loop.
 */
export class LoopTurns {
  #waiting: AtTurnsEnd[] = [];
  #now = 0;

  /** Of two equal numbers nothing was read between. */
  get now(): number {
    return this.#now;
  }

  /** Tells at the end of this turn, as often as it was asked. */
  soon(who: AtTurnsEnd): void {
    if (this.#waiting.push(who) === 1) setImmediate(() => this.#end());
  }

  #end(): void {
    const turn = this.#now;
    const told = this.#waiting;
    this.#waiting = [];
    this.#now += 1;
    for (const who of told) who.onTurnsEnd(turn);
  }
}

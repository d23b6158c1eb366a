/** Told in which turn it is asked. */
export type AtTurnsEnd = (turn: number) => void;

/**
 * Counts the turns of the event loop as far as anyone waits for one. A turn ends after everything that had arrived
 * when it began was read, and who waits is told then, in whatever number with one callback of the loop.
 */
export class Turns {
  #waiting: AtTurnsEnd[] = [];
  #now = 0;
  #scheduled = false;

  /** Of two equal numbers nothing was read between. */
  get now(): number {
    return this.#now;
  }

  /** Calls `atEnd` at the end of this turn, once however often it is asked. */
  soon(atEnd: AtTurnsEnd): void {
    if (!this.#waiting.includes(atEnd)) this.#waiting.push(atEnd);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    const turn = this.#now;
    const told = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    this.#now += 1;
    for (const atEnd of told) atEnd(turn);
  }
}

import type { Timers } from "#platform/lib/timers.ts";

const EVERY_MS = 2000;
/** So that nodes that were started together do not greet together. */
const JITTER = 0.1;
/** What changes at once is told at once, in one greeting. */
const SOON_MS = 20;

interface RoundsParts<Member> {
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** Whom to greet now, by their ids. */
  readonly members: () => ReadonlyMap<string, Member>;
  /** Settles with whether it took the greeting; it does not reject. */
  readonly greet: (member: Member) => Promise<boolean>;
  /** Called before each round. */
  readonly before: () => Promise<void>;
}

interface Pending {
  readonly running: Promise<boolean>;
  next: Promise<boolean> | undefined;
}

/** Greets every member again and again; never two greetings of one of them at once. */
export class Rounds<Member> implements Disposable {
  readonly #parts: RoundsParts<Member>;
  readonly #pending = new Map<string, Pending>();
  #timer: Disposable | undefined;
  #soon: Disposable | undefined;
  #isRunning = false;

  constructor(parts: RoundsParts<Member>) {
    this.#parts = parts;
  }

  start(): void {
    this.#isRunning = true;
    this.#later(0);
  }

  /** A round now. */
  soon(): void {
    if (!this.#isRunning || this.#soon !== undefined) return;
    this.#soon = this.#parts.timers.after(SOON_MS, () => {
      this.#soon = undefined;
      void this.all();
    });
  }

  /** Greets each anew, also one who is being greeted; settles with the ids of those who took it. */
  async all(): Promise<ReadonlySet<string>> {
    const asked = [...this.#parts.members()].map(async ([id, member]) => ({
      id,
      took: await this.#anew(id, member),
    }));
    const answered = await Promise.all(asked);
    return new Set(answered.filter(({ took }) => took).map(({ id }) => id));
  }

  [Symbol.dispose](): void {
    this.#isRunning = false;
    this.#timer?.[Symbol.dispose]();
    this.#soon?.[Symbol.dispose]();
  }

  #later(ms: number): void {
    this.#timer = this.#parts.timers.after(ms, () => {
      void this.#round();
      const { chance } = this.#parts;
      this.#later(EVERY_MS * (1 - JITTER + 2 * JITTER * chance()));
    });
  }

  async #round(): Promise<void> {
    await this.#parts.before();
    if (!this.#isRunning) return;
    for (const [id, member] of this.#parts.members())
      if (!this.#pending.has(id)) void this.#begin(id, member);
  }

  #anew(id: string, member: Member): Promise<boolean> {
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#begin(id, member);
    pending.next ??= pending.running.then(() => this.#anew(id, member));
    return pending.next;
  }

  #begin(id: string, member: Member): Promise<boolean> {
    const running = this.#parts.greet(member).finally(() => {
      if (this.#pending.get(id)?.running === running) this.#pending.delete(id);
    });
    this.#pending.set(id, { running, next: undefined });
    return running;
  }
}

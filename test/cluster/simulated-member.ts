import { AppError } from "#platform/lib/error.ts";
import { JoinBudget, type PaidRun } from "#services/cluster/join/budget.ts";
import type { ShareStore } from "#services/cluster/join/share-store.ts";
import type { Shares } from "#services/cluster/join/shares.ts";
import type { JoinMembers } from "#services/cluster/join/tries.ts";
import { FakeClock } from "../fake-clock.ts";

/** The program ended there: nobody is answered. */
class Crash extends Error {}

/** What came of asking a member to answer a joiner. */
export interface Spent {
  readonly term: string;
  readonly member: string;
  /** Another member was reached before it. */
  readonly isHelped: boolean;
  readonly paid: PaidRun;
}

/** What is around a member. */
interface Surroundings {
  readonly members: readonly SimulatedMember[];
  /** Runs that were answered and not refunded. */
  readonly answered: Set<Spent>;
  /** How many members each term had at first. */
  readonly sizes: Map<string, number>;
  reaches(one: string, other: string): boolean;
}

/** One of them; what it knows beyond its store is gone with each restart. */
export class SimulatedMember {
  readonly id: string;
  readonly clock = new FakeClock();
  clusterId: string | undefined = "cluster_0000000000000001";
  /** What passes whatever the clock says. */
  passedMs = 0;
  stored: Shares | undefined;
  /** Where the next write ends the program. */
  crashAt: "before" | "after" | undefined;
  /** Whether its next answer is lost. */
  losesAnswer = false;
  /** Whether its next write fails and it goes on. */
  isFull = false;
  readonly #cluster: Surroundings;
  #budget: JoinBudget | undefined;
  #life = 0;
  /** How often another answered it. */
  #asked = 0;
  /** Of which term it spent last. */
  #spentTerm = "";

  constructor(cluster: Surroundings, id: string) {
    this.#cluster = cluster;
    this.id = id;
  }

  get budget(): JoinBudget {
    if (this.#budget === undefined) throw new Error(`${this.id} was not started`);
    return this.#budget;
  }

  async restart(): Promise<void> {
    this.#life += 1;
    const { clock } = this;
    const monotonicMs = () => this.passedMs;
    const store = this.#store(this.#life);
    this.#budget = await JoinBudget.read({ store, clock, monotonicMs, members: this.#others() });
  }

  /** So much time goes by. */
  wait(ms: number): void {
    this.clock.advance(ms);
    this.passedMs += ms;
  }

  async open(): Promise<boolean> {
    const isOpen = await this.#live(async () => {
      await this.budget.reopen(async () => {});
      return true;
    });
    return isOpen === true;
  }

  /** Answers a joiner, where it may. */
  async spend(): Promise<Spent | undefined> {
    const asked = this.#asked;
    const paid = await this.#live(() => this.budget.spend());
    if (paid === undefined) return undefined;
    const spent = { term: this.#spentTerm, member: this.id, isHelped: this.#asked > asked, paid };
    this.#cluster.answered.add(spent);
    return spent;
  }

  /** The joiner had the right PIN. */
  async refund(spent: Spent): Promise<void> {
    const before = this.stored;
    const isDone = await this.#live(async () => {
      await spent.paid.refund(async () => {});
      return true;
    });
    // Where it crashed behind the write the try is back, although the joiner was not told.
    if (isDone === true || this.stored !== before) this.#cluster.answered.delete(spent);
  }

  async greet(other: SimulatedMember): Promise<void> {
    if (other === this || !this.#cluster.reaches(this.id, other.id)) return;
    const [said, answered] = [this.budget.tell(), other.budget.tell()];
    if (said !== undefined) await other.#live(() => other.budget.hear(this.id, said));
    if (answered !== undefined) await this.#live(() => this.budget.hear(other.id, answered));
  }

  #others(): JoinMembers {
    const others = () => this.#cluster.members.filter(({ id }) => id !== this.id);
    return {
      ownId: this.id,
      clusterId: () => this.clusterId,
      others: () => others().map(({ id }) => id),
      // Who is up is known late: here never.
      up: () => others().map(({ id }) => id),
      ask: async (id, asked) => {
        const other = others().find((member) => member.id === id);
        if (other === undefined || !this.#cluster.reaches(this.id, id)) return undefined;
        const given = await other.#live(() => other.budget.give(this.id, asked));
        const isLost = other.losesAnswer;
        other.losesAnswer = false;
        if (given === undefined || isLost) return undefined;
        this.#asked += 1;
        return given;
      },
    };
  }

  /** Undefined where it crashed meanwhile, or refused. */
  async #live<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Crash || error instanceof AppError) return undefined;
      throw error;
    }
  }

  #store(life: number): ShareStore {
    return {
      read: async () => this.stored,
      write: async (shares) => {
        // Others do something first.
        await Promise.resolve();
        if (life !== this.#life) throw new Crash();
        const crash = shares === undefined ? undefined : this.crashAt;
        if (crash !== undefined) this.crashAt = undefined;
        if (this.isFull) {
          this.isFull = false;
          throw new AppError("storage_full");
        }
        if (crash !== "before" && shares !== undefined) this.#keep(shares);
        if (crash === undefined) return;
        await this.restart();
        throw new Crash();
      },
    };
  }

  #keep(shares: Shares): void {
    const term = nameOf(shares);
    const size = shares.term.members.length;
    if (size > 0) this.#cluster.sizes.set(term, size);
    if (shares.spent > (this.stored?.spent ?? 0)) this.#spentTerm = term;
    this.stored = shares;
  }
}

function nameOf({ term }: Shares): string {
  return `${term.number} ${term.opener}`;
}

/** How many of so many joiners, one after another, this member answers. */
export async function spendAll(member: SimulatedMember, times: number): Promise<number> {
  let spent = 0;
  for (let time = 0; time < times; time += 1) if ((await member.spend()) !== undefined) spent += 1;
  return spent;
}

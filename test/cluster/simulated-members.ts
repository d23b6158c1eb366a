import { JOIN_TRIES } from "#services/cluster/join/shares.ts";
import { SimulatedMember, type Spent } from "./simulated-member.ts";

/**
 * Members of one cluster that count tries together, without servers: a network that can be cut and lose answers, and
 * members that crash beside a write, start again, and whose clocks are their own.
 */
export class SimulatedMembers {
  readonly members: SimulatedMember[] = [];
  /** Pairs that do not reach each other, `a b` with the lesser first. */
  readonly cut = new Set<string>();
  /** Runs that were answered and not refunded. */
  readonly answered = new Set<Spent>();
  /** How many members each term had at first. */
  readonly sizes = new Map<string, number>();

  static async of(count: number): Promise<SimulatedMembers> {
    const cluster = new SimulatedMembers();
    for (let member = 0; member < count; member += 1) await cluster.add();
    return cluster;
  }

  async add(): Promise<SimulatedMember> {
    const member = new SimulatedMember(this, `node_${String(this.members.length).padStart(16, "0")}`);
    this.members.push(member);
    await member.restart();
    return member;
  }

  get first(): SimulatedMember {
    return this.at(0);
  }

  get last(): SimulatedMember {
    return this.at(this.members.length - 1);
  }

  /** By number, from 0; after the last comes the first. */
  at(number: number): SimulatedMember {
    const member = this.members[number % this.members.length];
    if (member === undefined) throw new Error("there is nobody");
    return member;
  }

  /** Nobody reaches anybody. */
  part(): void {
    for (const one of this.members)
      for (const other of this.members) this.setCut(one.id, other.id, one !== other);
  }

  /** All reach each other. */
  mend(): void {
    this.cut.clear();
  }

  reaches(one: string, other: string): boolean {
    return !this.cut.has([one, other].sort().join(" "));
  }

  setCut(one: string, other: string, isCut: boolean): void {
    const pair = [one, other].sort().join(" ");
    if (isCut) this.cut.add(pair);
    else this.cut.delete(pair);
  }

  /** Each tells each other that it reaches. */
  async greet(): Promise<void> {
    for (const one of this.members) for (const other of this.members) await one.greet(other);
  }

  /** Why this must not be; empty where all is well. */
  wrongs(): readonly string[] {
    const counts = new Map<string, number>();
    const limits = new Map<string, number>();
    const count = (what: string, limit: number) => {
      counts.set(what, (counts.get(what) ?? 0) + 1);
      limits.set(what, limit);
    };
    for (const { term, member, isHelped } of this.answered) {
      count(`term ${term}`, JOIN_TRIES);
      if (!isHelped) count(`term ${term}, ${member} alone`, this.#aloneLimit(term));
    }
    const over = [...counts].filter(([what, times]) => times > (limits.get(what) ?? 0));
    return over.map(([what, times]) => `${what}: ${times}`);
  }

  #aloneLimit(term: string): number {
    return Math.floor(JOIN_TRIES / (this.sizes.get(term) ?? 1));
  }
}

/**
 * Things that come and go by the thousand a second, in no order: what joins gets a number, by which it leaves.
 *
 * A Set would do, were it not for its memory: V8 makes a new table for it after so many changes, and the old one goes
 * on to point to the new one and to whatever was in it then (OrderedHashTable::Rehash). Once such a table is among the
 * old objects, every later one outlives the collections of the young, with all that was in it: of requests, a third.
 */
export class Slots<Member extends object> {
  readonly #members: (Member | undefined)[] = [];
  readonly #free: number[] = [];

  /** Gives the number to leave by. */
  join(member: Member): number {
    const slot = this.#free.pop() ?? this.#members.length;
    this.#members[slot] = member;
    return slot;
  }

  /** Once, by the number `join` gave. */
  leave(slot: number): void {
    this.#members[slot] = undefined;
    this.#free.push(slot);
  }

  /** Who is in now, whatever joins or leaves meanwhile. */
  all(): Member[] {
    return this.#members.filter((member) => member !== undefined);
  }
}

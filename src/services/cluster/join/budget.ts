import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { ShareBook } from "./share-book.ts";
import type { Recorded, ShareStore } from "./share-store.ts";
import {
  heardShares,
  isSameTerm,
  JOINING_OPEN_MS,
  maySpendAlone,
  openedShares,
  type Shares,
  type Term,
  type TermTold,
  toldOf,
} from "./shares.ts";
import type { JoinMembers, TriesAsked, TriesGiven } from "./tries.ts";

/** Of members that are up and do not answer, so many are waited for in one spend. */
const MOST_UNREACHED = 3;
/** So often a spend begins anew because the term or the share changed while others were asked. */
const MOST_ROUNDS = 3;

interface BudgetParts {
  readonly store: ShareStore;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly members: JoinMembers;
}

/** A run that was paid for. */
export interface PaidRun {
  /** Its last message was valid: it counts no more, once `record` is written. Throws what that throws, and it counts. */
  refund(record: Recorded): Promise<void>;
}

/** Another member was reached, which may have given a try. */
interface Help {
  readonly term: Term;
  readonly given: boolean;
}

/**
 * How long joining is open and how many runs it may still take: this member's share of what the whole cluster may, in the
 * store before any answer, so that neither a restart nor many at once win anything. Tries move between members and are
 * never made; only `reopen` gives more, and is not called for anybody but the owner.
 */
export class JoinBudget {
  readonly #clock: Clock;
  readonly #members: JoinMembers;
  readonly #book: ShareBook;
  /** How many tries each other member said to hold of this term. */
  readonly #told = new Map<string, number>();

  private constructor({ clock, members }: BudgetParts, book: ShareBook) {
    this.#clock = clock;
    this.#members = members;
    this.#book = book;
  }

  /** As the store has it. */
  static async read(parts: BudgetParts): Promise<JoinBudget> {
    const clusterId = () => parts.members.clusterId();
    return new JoinBudget(parts, await ShareBook.read({ ...parts, clusterId }));
  }

  /**
   * When it closes by itself, in milliseconds since the Unix epoch; undefined where it is closed: its time is over, or
   * neither this member nor any that is up has a try that may be spent here, as far as it knows.
   */
  openUntilMs(): number | undefined {
    const shares = this.#book.open();
    if (shares === undefined) return undefined;
    const maySpend = this.#maySpendAlone(shares) || this.#helpers(shares).length > 0;
    return maySpend ? shares.openedMs + JOINING_OPEN_MS : undefined;
  }

  /** What this member holds, and what those that are up said that they hold. */
  triesLeft(): number {
    const shares = this.#book.open();
    if (shares === undefined) return 0;
    const others = this.#members.up().map((id) => this.#told.get(id) ?? 0);
    return others.reduce((sum, held) => sum + held, shares.held);
  }

  isOpen(): boolean {
    return this.openUntilMs() !== undefined;
  }

  /** Opens it on all members for 15 minutes and 20 runs, once that and `record` are written. Throws AppError `cluster_closed`. */
  async reopen(record: Recorded): Promise<void> {
    const own = this.#own();
    if (own === undefined) throw new AppError("cluster_closed");
    const given = () => ({ others: this.#members.others(), nowMs: this.#clock.now() });
    await this.#book.change((known) => openedShares(known, own, given()), record);
    this.#told.clear();
  }

  /**
   * Takes one run off, and settles when that is in the store. What this member may not spend by itself it spends when
   * another is reached, which gives one where none is left here. Throws AppError `joining_closed`, `storage_full`.
   */
  async spend(): Promise<PaidRun> {
    let help: Help | undefined;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const paid = await this.#book.change((known) => this.#paid(known, help));
      if (paid !== undefined) return { refund: (record) => this.#refund(paid.term, record) };
      help = await this.#seekHelp();
      if (help === undefined) break;
    }
    throw new AppError("joining_closed");
  }

  /** Answers another member that asks. Throws AppError `cluster_closed`, `storage_full`. */
  async give(from: string, { term: asked, wants }: TriesAsked): Promise<TriesGiven> {
    await this.hear(from, asked);
    const given = wants && (await this.#book.change((known) => givenOf(known, asked))) !== undefined;
    const term = this.tell();
    if (term === undefined) throw new AppError("cluster_closed");
    return { term, given };
  }

  /** What other members are told of joining; undefined where it was never opened. */
  tell(): TermTold | undefined {
    const shares = this.#book.current();
    return shares && toldOf(shares, this.#book.openForMs());
  }

  /** Takes in what another member told; a later term than the one it knows counts from then on. Throws AppError `storage_full`. */
  async hear(from: string, told: TermTold): Promise<void> {
    const own = this.#own();
    if (own === undefined) return;
    const heard = (known: Shares | undefined) => heardShares(known, told, own, this.#clock.now());
    if (heard(this.#book.current()) !== undefined && (await this.#book.change(heard)) !== undefined)
      this.#told.clear();
    const shares = this.#book.current();
    if (shares !== undefined && isSameTerm(shares.term, told)) this.#told.set(from, told.held);
  }

  /** With one spent that this member holds, or was given; undefined where it may not, or not without help. */
  #paid(known: Shares | undefined, help: Help | undefined): Shares | undefined {
    const shares = known && this.#book.open();
    if (shares === undefined) return undefined;
    const helped = help !== undefined && isSameTerm(help.term, shares.term) ? help : undefined;
    const held = shares.held + (helped?.given === true ? 1 : 0);
    const may = helped === undefined ? this.#maySpendAlone(shares) : held > 0;
    return may ? { ...shares, held: held - 1, spent: shares.spent + 1 } : undefined;
  }

  /** Asks the others, those with most tries first; undefined where none that was reached can help. */
  async #seekHelp(): Promise<Help | undefined> {
    const shares = this.#book.open();
    if (shares === undefined) return undefined;
    const { term } = shares;
    let unreached = 0;
    for (const id of this.#helpers(shares)) {
      const answer = await this.#ask(id);
      if (answer === undefined) unreached += 1;
      if (unreached === MOST_UNREACHED) return undefined;
      if (answer === undefined) continue;
      await this.hear(id, answer.term);
      const now = this.#book.current();
      const hasChanged = now === undefined || !isSameTerm(now.term, term);
      if (answer.given || hasChanged || now.held > 0) return { term, given: answer.given };
    }
    return undefined;
  }

  async #ask(id: string): Promise<TriesGiven | undefined> {
    const term = this.tell();
    return term && (await this.#members.ask(id, { term, wants: term.held === 0 }));
  }

  async #refund(term: Term, record: Recorded): Promise<void> {
    await this.#book.change((known) => refundedOf(known, term), record);
  }

  /** Those that are up and of which it is not known that they cannot help, those with most tries first. */
  #helpers({ held }: Shares): readonly string[] {
    const toldBy = (id: string) => this.#told.get(id) ?? 0;
    const may = this.#members.up().filter((id) => held > 0 || this.#told.get(id) !== 0);
    return may.sort((one, other) => toldBy(other) - toldBy(one));
  }

  #maySpendAlone(shares: Shares): boolean {
    return maySpendAlone(shares, 1 + this.#members.others().length);
  }

  #own(): { readonly id: string; readonly clusterId: string } | undefined {
    const clusterId = this.#members.clusterId();
    return clusterId === undefined ? undefined : { id: this.#members.ownId, clusterId };
  }
}

function givenOf(known: Shares | undefined, asked: Pick<Term, "number" | "opener">): Shares | undefined {
  const may = known !== undefined && isSameTerm(known.term, asked) && known.held > 0;
  return may ? { ...known, held: known.held - 1 } : undefined;
}

/** What was paid before an opening is not given back after. */
function refundedOf(known: Shares | undefined, term: Term): Shares | undefined {
  if (known === undefined || !isSameTerm(known.term, term)) return undefined;
  return { ...known, held: known.held + 1, spent: known.spent - 1 };
}

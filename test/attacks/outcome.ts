import type { Answer } from "#test/claviger.ts";

/** One row of docs/attacks.md: what was tried, how often, how often it went in, and what it was answered. */
export interface Outcome {
  readonly attack: string;
  readonly tried: number;
  readonly gotIn: number;
  /** Each once, as `401 invalid_token`. */
  readonly answers: readonly string[];
  /** What went in, for whom a test fails. */
  readonly names: readonly string[];
}

/** Counts what comes of one attack in all its variants. */
export class Tally {
  readonly #attack: string;
  readonly #answers = new Map<string, number>();
  readonly #names: string[] = [];

  /** `either`: the refusals between which the moment chooses; the row tells all of them, whichever came. */
  constructor(attack: string, either: readonly string[] = []) {
    this.#attack = attack;
    for (const answer of either) this.#answers.set(answer, 0);
  }

  /** An answer; by itself 2xx is a way in. */
  add(name: string, { status, text }: Pick<Answer, "status" | "text">, isIn = status < 300): void {
    const code = /"(?:error_)?code":"(\w+)"/.exec(text)?.[1];
    this.say(name, code === undefined ? String(status) : `${status} \`${code}\``, isIn);
  }

  say(name: string, answer: string, isIn: boolean): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
    if (isIn) this.#names.push(name);
  }

  get outcome(): Outcome {
    const tried = [...this.#answers.values()].reduce((sum, count) => sum + count, 0);
    const answers = [...this.#answers.keys()].toSorted();
    return { attack: this.#attack, tried, gotIn: this.#names.length, answers, names: this.#names };
  }
}

/** `work`, done once, however often it is asked for. */
export function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let begun: Promise<Result> | undefined;
  return () => {
    begun ??= work();
    return begun;
  };
}

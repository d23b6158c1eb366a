import type { SharedFlag } from "#platform/threads/shared-flag.ts";

/** What one principal used of one model since the last time it was asked. */
export interface UsageSum {
  readonly principal: string;
  readonly model: string;
  requests: number;
  input_tokens: number;
  output_tokens: number;
  cost_nano_usd: number;
  /** Requests of these that were answered with an error. */
  errors: number;
}

/** What of a row of the request log is summed. */
interface UsedRow {
  readonly principal: string;
  readonly model: string;
  readonly status: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_nano_usd: number | null;
}

const MOST_SUMS = 100;
/** Stands for all beyond that. */
const OTHER = "other";

/** Adds up one thread's gateway requests while somebody listens; while nobody does, a row costs one look at the flag. */
export class UsageSums {
  readonly #wanted: SharedFlag;
  #sums = new Map<string, UsageSum>();

  /** `wanted` is what all threads look at. */
  constructor(wanted: SharedFlag) {
    this.#wanted = wanted;
  }

  add({ principal, model, status, input_tokens, output_tokens, cost_nano_usd }: UsedRow): void {
    if (!this.#wanted.raised) return;
    this.#count({
      principal,
      model,
      requests: 1,
      input_tokens: input_tokens ?? 0,
      output_tokens: output_tokens ?? 0,
      cost_nano_usd: cost_nano_usd ?? 0,
      errors: status < 400 ? 0 : 1,
    });
  }

  /** Adds what another thread gave out. */
  absorb(sums: readonly UsageSum[]): void {
    if (!this.#wanted.raised) return;
    for (const sum of sums) this.#count(sum);
  }

  /** Gives out what was added up, and begins anew. */
  take(): UsageSum[] {
    if (this.#sums.size === 0) return [];
    const sums = [...this.#sums.values()];
    this.#sums = new Map();
    return sums;
  }

  #count(added: UsageSum): void {
    const sum = this.#sumOf(added.principal, added.model);
    sum.requests += added.requests;
    sum.input_tokens += added.input_tokens;
    sum.output_tokens += added.output_tokens;
    sum.cost_nano_usd += added.cost_nano_usd;
    sum.errors += added.errors;
  }

  #sumOf(principal: string, model: string): UsageSum {
    const key = `${principal}\n${model}`;
    const known = this.#sums.get(key);
    if (known !== undefined) return known;
    if (this.#sums.size >= MOST_SUMS && principal !== OTHER) return this.#sumOf(OTHER, OTHER);
    const sum = {
      principal,
      model,
      requests: 0,
      input_tokens: 0,
      output_tokens: 0,
      cost_nano_usd: 0,
      errors: 0,
    };
    this.#sums.set(key, sum);
    return sum;
  }
}

import { createSecretKey, type KeyObject } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Clock } from "#platform/lib/clock.ts";
import { type AppError, StartError } from "#platform/lib/error.ts";
import { hmacSha256 } from "#platform/lib/hmac.ts";
import type { Random } from "#platform/lib/random.ts";
import { WorkQueue } from "#platform/threads/work-queue.ts";
import { HashingThreads } from "./hashing-threads.ts";
import type { SlowHash } from "./phc.ts";
import { slowKeyFault } from "./slow-hash.ts";
import { type SlowVerdict, Verdicts } from "./verdicts.ts";

/** More of them would make every unknown key cost more than a server has to give. */
export const MOST_SLOW_IDENTITIES = 32;
const MOST_RUNNING = 2;
const WAITING = 32;

/** An identity whose key is known by a hash that is slow to compute. */
export interface SlowIdentity {
  readonly name: string;
  readonly hash: SlowHash;
}

/** The refusal that stands before any work for this asker, undefined where there is none. */
export type RefusalBeforeWork = () => AppError | undefined;

/**
 * Finds the identity whose slow hash a presented text fits. It costs the same whichever fits, if any; what was found
 * is remembered by a keyed digest, never the text itself: a right one until `replace`, a wrong one for a minute.
 */
export interface SlowHashes {
  /** What is known of the text without work; undefined when it must be computed. */
  recall(presented: string): SlowVerdict | undefined;
  /**
   * The name of the identity, undefined when the text is nobody's. One text asked about by many is worked on once.
   * `refusal` is asked when work would be queued and again when it would begin: its error is thrown, and nothing was
   * computed. Throws AppError `rate_limited` when too many wait. Computed in threads of a low priority, at most two texts at
   * once, one with less than three processors.
   */
  verify(presented: string, refusal?: RefusalBeforeWork): Promise<string | undefined>;
  /** From now on these identities; what runs is judged anew by them. Throws StartError for more than 32. */
  replace(identities: readonly SlowIdentity[]): void;
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the text is what the hash was made of; computed for real unless given. */
  readonly matches?: (hash: SlowHash, text: string) => Promise<boolean>;
  /** Processors to compute on; the machine's unless given. */
  readonly processors?: number;
}

/** Throws StartError for more than 32 identities. */
export function openSlowHashes(identities: readonly SlowIdentity[], parts: Parts): SlowHashes {
  const opened = new OpenSlowHashes(parts);
  opened.replace(identities);
  return opened;
}

interface Try {
  readonly refusals: RefusalBeforeWork[];
  readonly answer: Promise<string | undefined>;
}

class OpenSlowHashes implements SlowHashes {
  readonly #matches: (hash: SlowHash, text: string) => Promise<boolean>;
  /** Of this process and of no use to another: a digest in a memory dump finds no key. */
  readonly #digestKey: KeyObject;
  readonly #queue: WorkQueue;
  readonly #verdicts: Verdicts;
  readonly #tries = new Map<string, Try>();
  #identities: readonly SlowIdentity[] = [];

  constructor({ clock, random, matches, processors = availableParallelism() }: Parts) {
    this.#matches = matches ?? new HashingThreads().matches;
    this.#digestKey = createSecretKey(random.bytes(32));
    // One processor is left to the event loop: else those whose keys cost little would wait for the thread too.
    const running = Math.max(1, Math.min(MOST_RUNNING, processors - 1));
    this.#queue = new WorkQueue({ running, waiting: WAITING });
    this.#verdicts = new Verdicts(clock);
  }

  recall(presented: string): SlowVerdict | undefined {
    return this.#known(presented, () => this.#digestOf(presented));
  }

  async verify(presented: string, refusal: RefusalBeforeWork = nobodyRefuses): Promise<string | undefined> {
    const digest = this.#digestOf(presented);
    const known = this.#known(presented, () => digest);
    if (known !== undefined) return known.name;
    const sameText = this.#tries.get(digest);
    if (sameText !== undefined) {
      sameText.refusals.push(refusal);
      return sameText.answer;
    }
    throwIfAny([refusal]);
    const refusals = [refusal];
    const answer = this.#queue.run(async () => {
      throwIfAny(refusals);
      return await this.#judge(presented, digest);
    });
    this.#tries.set(digest, { refusals, answer });
    return answer.finally(() => this.#tries.delete(digest));
  }

  replace(identities: readonly SlowIdentity[]): void {
    if (identities.length > MOST_SLOW_IDENTITIES)
      throw new StartError(
        `${identities.length} identities have an argon2id or scrypt hash; at most ${MOST_SLOW_IDENTITIES} may. Give the others a key of \`claviger api-key generate\`.`,
      );
    this.#identities = identities;
    this.#verdicts.clear();
  }

  #known(presented: string, digest: () => string): SlowVerdict | undefined {
    if (this.#identities.length === 0 || slowKeyFault(presented) !== undefined) return { name: undefined };
    return this.#verdicts.find(digest());
  }

  /** Every hash is computed, also after one fitted: the time must not tell which. Of two that fit, the first counts. */
  async #judge(presented: string, digest: string): Promise<string | undefined> {
    for (;;) {
      const identities = this.#identities;
      let name: string | undefined;
      for (const identity of identities) {
        const fits = await this.#matches(identity.hash, presented);
        if (fits) name ??= identity.name;
      }
      if (identities !== this.#identities) continue;
      this.#verdicts.keep(digest, name);
      return name;
    }
  }

  #digestOf(presented: string): string {
    return hmacSha256(this.#digestKey, presented).toString("base64");
  }
}

function nobodyRefuses(): undefined {
  return undefined;
}

/** Work begins when one of those who ask for it may have it. */
function throwIfAny(refusals: readonly RefusalBeforeWork[]): void {
  const errors = refusals.map((refusal) => refusal());
  const [first] = errors;
  if (first !== undefined && !errors.includes(undefined)) throw first;
}

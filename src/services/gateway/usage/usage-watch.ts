import { memberOf } from "../json-member.ts";
import { lineAt } from "./event-line.ts";
import { anthropicFigures, openaiFigures } from "./figures.ts";
import { eachKey, type KeyNames, keyNames, stringBytes } from "./json-keys.ts";
import { estimateTokens, NO_PARTS, type TokenUsage, type UsageDialect } from "./token-usage.ts";

const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const USAGE = "usage";
/** As text it is of a responses stream, whose last events repeat what its deltas said. */
const DELTA = "delta";
/** Where figures stand, and where the events of a dialect carry what the model says. */
const KEYS: Record<UsageDialect, KeyNames> = {
  openai: keyNames(USAGE, DELTA, "content", "reasoning_content", "reasoning", "refusal", "arguments"),
  anthropic: keyNames(USAGE, "text", "thinking", "partial_json"),
};

/** The first key looked for in some events. */
interface FirstKey {
  events: Buffer;
  readonly name: string;
  readonly valueStart: number;
}

/**
 * Watches an event stream pass, in complete events however many at a time, for the upstream's figures. No event is
 * parsed on the way: the first and the last that carry figures are kept as bytes and read at the end.
 */
export class UsageWatch {
  readonly #dialect: UsageDialect;
  #first: Buffer | undefined;
  #last: Buffer | undefined;
  #begun = false;
  #deltaBytes = 0;
  #textBytes = 0;
  /** Of what came last. */
  #known: FirstKey | undefined;

  constructor(dialect: UsageDialect) {
    this.#dialect = dialect;
  }

  /** Takes events; whether any has a key `usage`, whatever its value. */
  push(events: Buffer): boolean {
    if (events.length === 0) return false;
    this.#begun = true;
    let lookedAt = 0;
    let hasUsage = false;
    let first = this.#foundAgain(events);
    const visit = (name: string, valueStart: number) => {
      first ??= { events, name, valueStart };
      const value = events[valueStart];
      if (name === USAGE) {
        hasUsage = true;
        if (value === OPEN_BRACE && valueStart >= lookedAt) lookedAt = this.#keepLine(events, valueStart);
      } else if (value === QUOTE) {
        const size = stringBytes(events, valueStart + 1);
        if (name === DELTA) this.#deltaBytes += size;
        else this.#textBytes += size;
      }
    };
    if (first !== undefined) visit(first.name, first.valueStart);
    eachKey(events, KEYS[this.#dialect], visit, first?.valueStart);
    this.#known = first;
    return hasUsage;
  }

  /**
   * The first key, where these events begin as the last ones did: the events of a stream differ in little but what the model
   * says, and what stands before that need not be stepped through again.
   */
  #foundAgain(events: Buffer): FirstKey | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    // Up to the first byte of its value, which is no blank.
    const end = known.valueStart + 1;
    if (events.length < end || events.compare(known.events, 0, end, 0, end) !== 0) return undefined;
    known.events = events;
    return known;
  }

  /**
   * What the stream used: the upstream's figures, and where they are missing (the stream was cut, or it never tells)
   * an estimate from the text that passed and from the size of the request in bytes. Null when no event passed.
   */
  end(requestBytes: number): TokenUsage | null {
    if (!this.#begun) return null;
    const told = this.#figures();
    const input = told?.inputTokens ?? null;
    const output = told?.outputTokens ?? null;
    if (told !== null && input !== null && output !== null) return told;
    return {
      inputTokens: input ?? estimateTokens(requestBytes),
      outputTokens: output ?? estimateTokens(this.#deltaBytes === 0 ? this.#textBytes : this.#deltaBytes),
      parts: input === null ? NO_PARTS : (told?.parts ?? NO_PARTS),
      estimated: true,
    };
  }

  /** Gives where the line ends; one that was cut off is of an event too large to keep. */
  #keepLine(events: Buffer, at: number): number {
    const line = lineAt(events, at);
    if (line?.dataStart !== undefined) {
      // Copied, so that one event does not hold on to a whole chunk.
      this.#last = Buffer.from(events.subarray(line.dataStart, line.end));
      this.#first ??= this.#last;
    }
    return line?.end ?? events.length;
  }

  #figures(): TokenUsage | null {
    const last = readEvent(this.#last);
    if (this.#dialect === "openai")
      return openaiFigures(memberOf(last, "usage") ?? memberOf(memberOf(last, "response"), "usage"));
    const start = memberOf(memberOf(readEvent(this.#first), "message"), "usage");
    const end = memberOf(last, "usage");
    const whole = anthropicFigures(start, end);
    // At its start a message has an output of a token or so; only its end counts.
    const ended = anthropicFigures(end)?.outputTokens != null;
    return whole === null || ended ? whole : { ...whole, outputTokens: null };
  }
}

function readEvent(data: Buffer | undefined): unknown {
  try {
    return JSON.parse(data?.toString() ?? "null");
  } catch {
    return undefined;
  }
}

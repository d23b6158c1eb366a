import { z } from "zod";
import { usageLines } from "./data-line.ts";
import { anthropicFigures, openaiFigures } from "./figures.ts";
import { TextBytes } from "./text-bytes.ts";
import { estimateTokens, NO_PARTS, type TokenUsage, type UsageDialect } from "./token-usage.ts";

const bearer = z.object({ usage: z.unknown().optional() }).nullish().catch(null);
const event = z.object({ usage: z.unknown().optional(), message: bearer, response: bearer }).catch({
  usage: undefined,
  message: undefined,
  response: undefined,
});
type Event = z.infer<typeof event>;

const FIGURES = /^"usage"\s*:\s*\{/;

/**
 * Watches an event stream pass, in complete events however many at a time, for the upstream's figures. No event is
 * parsed on the way: the first and the last that carry figures are kept as bytes and read at the end.
 */
export class UsageWatch {
  readonly #dialect: UsageDialect;
  readonly #text: TextBytes;
  #first: Buffer | undefined;
  #last: Buffer | undefined;
  #begun = false;

  constructor(dialect: UsageDialect) {
    this.#dialect = dialect;
    this.#text = new TextBytes(dialect);
  }

  push(events: Buffer): void {
    if (events.length === 0) return;
    this.#begun = true;
    this.#text.push(events);
    for (const { valueStart, end } of usageLines(events)) {
      const line = events.subarray(valueStart, end);
      if (!bearsFigures(line)) continue;
      // Copied, so that one event does not hold on to a whole chunk.
      this.#last = Buffer.from(line);
      this.#first ??= this.#last;
    }
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
      outputTokens: output ?? estimateTokens(this.#text.total),
      parts: input === null ? NO_PARTS : (told?.parts ?? NO_PARTS),
      estimated: true,
    };
  }

  #figures(): TokenUsage | null {
    const last = readEvent(this.#last);
    if (this.#dialect === "openai") return openaiFigures(last.usage ?? last.response?.usage);
    const start = anthropicFigures(readEvent(this.#first).message?.usage);
    const whole = anthropicFigures(readEvent(this.#first).message?.usage, last.usage);
    // At its start a message has an output of a token or so; only its end counts.
    return anthropicFigures(last.usage)?.outputTokens == null && start !== null
      ? { ...start, outputTokens: null }
      : whole;
  }
}

function bearsFigures(line: Buffer): boolean {
  for (let at = line.indexOf('"usage"'); at !== -1; at = line.indexOf('"usage"', at + 1))
    if (FIGURES.test(line.toString("latin1", at, at + 32))) return true;
  return false;
}

function readEvent(data: Buffer | undefined): Event {
  try {
    return event.parse(JSON.parse(data?.toString() ?? "null"));
  } catch {
    return event.parse(null);
  }
}

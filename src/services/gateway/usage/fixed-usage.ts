import { anthropicFigures, openaiFigures } from "./figures.ts";
import { memberFromEnd } from "./member-from-end.ts";
import type { TokenUsage, UsageDialect } from "./token-usage.ts";

const TAIL_BYTES = 16 * 1024;

/**
 * The figures of a fixed reply, from its bytes or from the last of them: the member `usage` of the root object and
 * nothing else is parsed. Null when there is none (as for count_tokens), or none that can be believed.
 */
export function readUsage(dialect: UsageDialect, body: Buffer): TokenUsage | null {
  const range = memberFromEnd(body, "usage");
  if (range === undefined || range.end - range.start > TAIL_BYTES) return null;
  const usage = parseOr(body.toString("utf8", range.start, range.end));
  return dialect === "anthropic" ? anthropicFigures(usage) : openaiFigures(usage);
}

/** The end of a reply that is passed on as it comes, enough of it to find the figures in. */
export class ReplyTail {
  #kept: Buffer[] = [];
  #keptBytes = 0;

  push(chunk: Buffer): void {
    // A large one, 64 KiB at most, stays as it is: a copy of its end would cost more than what is held on to.
    if (chunk.length >= TAIL_BYTES) {
      this.#kept = [];
      this.#keptBytes = 0;
    }
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#kept.length === 1 || this.#keptBytes < 4 * TAIL_BYTES) return;
    this.#kept = [this.bytes()];
    this.#keptBytes = TAIL_BYTES;
  }

  /** The last 16 KiB at most, for `readUsage`. */
  bytes(): Buffer {
    const [only] = this.#kept;
    const all = only !== undefined && this.#kept.length === 1 ? only : Buffer.concat(this.#kept);
    return all.subarray(-TAIL_BYTES);
  }
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { ReplyTail, readUsage } from "./fixed-usage.ts";
import { hideUsage } from "./hide-usage.ts";
import type { TokenUsage, UsageDialect } from "./token-usage.ts";
import { UsageWatch } from "./usage-watch.ts";

/** Reads what one request used while its answer passes, and takes out of a stream what the client did not ask for. */
export class UsageMeter {
  readonly #dialect: UsageDialect;
  readonly #request: { readonly bytes: number; readonly asked: boolean };
  readonly #tail = new ReplyTail();
  #watch: UsageWatch | undefined;

  /** `asked`: the gateway asked for the figures, so they are hidden from the client again. */
  constructor(dialect: UsageDialect, request: { bytes: number; asked: boolean }) {
    this.#dialect = dialect;
    this.#request = request;
  }

  /** Takes complete events of a stream and gives those the client is to see; maybe none. */
  events(events: Buffer): Buffer {
    this.#watch ??= new UsageWatch(this.#dialect);
    const hasUsage = this.#watch.push(events);
    return hasUsage && this.#request.asked ? hideUsage(events) : events;
  }

  /** Takes a piece of a fixed reply. */
  body(chunk: Buffer): void {
    this.#tail.push(chunk);
  }

  /** What was used; of a stream that was cut, an estimate. Null when nothing is known. */
  read(): TokenUsage | null {
    if (this.#watch !== undefined) return this.#watch.end(this.#request.bytes);
    return readUsage(this.#dialect, this.#tail.bytes());
  }
}

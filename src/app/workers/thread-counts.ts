import { AggregatorRegistry } from "prom-client";
import type { ThreadCounts } from "#platform/log/metrics/metrics.ts";

/**
 * What the threads counted, as last told. A counter that sank would be read as one that began anew, and everything it had
 * counted be added again: so a thread that does not answer counts as it last did, and so does one that is gone.
 */
export class LastCounts {
  readonly #ofThread = new Map<number, ThreadCounts>();
  #gone: readonly ThreadCounts[] = [];

  told(thread: number, counts: ThreadCounts): void {
    this.#ofThread.set(thread, counts);
  }

  /** The thread is gone, and another one of its number begins at zero; what was measured at a moment goes with it. */
  ended(thread: number): void {
    const last = this.#ofThread.get(thread);
    if (last === undefined) return;
    this.#ofThread.delete(thread);
    this.#gone = [...this.#gone, last.filter(({ type }) => String(type) !== "gauge")];
  }

  async all(): Promise<ThreadCounts[]> {
    const gone = this.#gone;
    if (gone.length > 1) {
      const sums = await AggregatorRegistry.aggregate([...gone]).getMetricsAsJSON();
      if (this.#gone === gone) this.#gone = [sums];
    }
    return [...this.#ofThread.values(), ...this.#gone];
  }
}

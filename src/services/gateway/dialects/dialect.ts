import type { LimitsLeft } from "#platform/http/ports.ts";
import type { AppError } from "#platform/lib/error.ts";
import type { ModelEntry } from "../catalogue.ts";
import type { UsageDialect } from "../usage/token-usage.ts";

/** An error as the clients of a dialect read it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What differs between the families of clients: shapes, never decisions. */
export interface Dialect {
  /** In whose shape its answers tell what they used, and what an upstream must speak to answer it. */
  readonly usage: UsageDialect;
  /** The headers that bear the request id. */
  readonly requestIdHeaders: readonly string[];
  /**
   * What a limited caller is told of its limits a minute, as name (in lower case), value, name, value; `nowMs` is
   * milliseconds since the Unix epoch.
   */
  limitHeaders(left: LimitsLeft, nowMs: number): readonly string[];
  error(error: AppError, requestId: string): ErrorAnswer;
  /** An upstream's failure in the client's shape, under the upstream's own status. */
  upstreamError(status: number, message: string, requestId: string): Buffer;
  /** An upstream's error body that has an `error` object already, with what must be this server's own in it. */
  relayedError(status: number, body: Buffer, requestId: string): Buffer;
  /** The last event of a stream that was cut, so that the official client raises it; it begins on a line of its own. */
  streamError(error: AppError, requestId: string): Buffer;
  /** `query` is the client's. Throws AppError 400 for a page that cannot be. */
  modelList(entries: readonly ModelEntry[], query: URLSearchParams): object;
  model(entry: ModelEntry): object;
}

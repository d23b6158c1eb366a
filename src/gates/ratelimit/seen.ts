/** What stands in a request's way; `…-held` is what other requests that run have set aside. */
export type Hindrance = "concurrency" | "requests" | "tokens" | "day" | "day-held" | "spend" | "spend-held";

/** What one look at a record found. */
export interface Seen {
  /** Undefined when nothing hindered the request. */
  readonly hindrance: Hindrance | undefined;
  /** Parts the two buckets lack. */
  readonly requestsLack: number;
  readonly tokensLack: number;
}

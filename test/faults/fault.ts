import type { Misbehaviour } from "./raw-upstream.ts";

/** What a program on the official SDK meets: `result` where the answer is complete, else what it raises. */
export type Met = "result" | { readonly raised: string; readonly status?: number; readonly code?: string };

/** One way for an upstream to fail. */
export interface Fault {
  readonly name: string;
  /** `refused` and `unresolved` reach no upstream at all. */
  readonly upstream: "refused" | "unresolved" | Misbehaviour;
  /** The upstream reads only the head of a request. */
  readonly readsBody?: false;
  /** The upstream falls silent: the server's timeouts are short ones. */
  readonly isSilent?: true;
  /** The request goes over a connection that served another one before. */
  readonly reusesConnection?: true;
  /** What comes of it, and how often the upstream is asked without and with the SDK's two retries. */
  readonly whole: Outcome;
  readonly streamed: Outcome;
}

export interface Outcome {
  readonly met: Met;
  readonly asked: readonly [once: number, withRetries: number];
  /** Where the SDK's retry comes to another end. */
  readonly metWithRetries?: Met;
}

export const complete: Outcome = { met: "result", asked: [1, 1] };
export const raised = (status: number, code: string, asked: Outcome["asked"] = [1, 3]): Outcome => ({
  met: { raised: status === 429 ? "RateLimitError" : "InternalServerError", status, code },
  asked,
});
export const failed = raised(502, "upstream_failed");
export const late = raised(504, "upstream_timeout");
/** Raised out of a stream that had begun: nothing is asked again. */
export const cut = (code = "upstream_failed"): Outcome => ({
  met: { raised: "APIError", code },
  asked: [1, 1],
});
export const both = (outcome: Outcome) => ({ whole: outcome, streamed: outcome });

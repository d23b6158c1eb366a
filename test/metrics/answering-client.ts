import {
  type CollectedAnswer,
  createEgressClient,
  type EgressClient,
} from "#platform/egress/egress-client.ts";

/** A client whose every collected answer comes from here; it never dials. */
export function answeringClient(answer: () => Promise<CollectedAnswer>): EgressClient {
  return { ...createEgressClient(), collect: () => answer() };
}

export function wholeAnswer(status: number): CollectedAnswer {
  return { status, headers: [], body: Buffer.alloc(0) };
}

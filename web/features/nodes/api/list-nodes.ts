import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

const HEARD_EVERY_MS = 10_000;

/** The servers of the cluster, this one first; events tell of changes, the rest is when each was heard last. */
export function listNodes() {
  return {
    ...pagesOf(["nodes"], ({ signal }) => call("GET /api/v1/nodes", { signal })),
    refetchInterval: HEARD_EVERY_MS,
  };
}

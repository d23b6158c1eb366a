import type { Secret } from "#platform/lib/secret.ts";
import type { Cluster, ClusterState } from "../cluster.ts";

/** Who missed more than so many changes of the PIN has it typed. */
const MOST_TOKENS = 4;

/**
 * The member tokens of this cluster that were in force here since the start, in memory alone: with them this server
 * proves to the others, which still have an older PIN, that it had it too.
 */
export class PastTokens {
  #clusterId: string | undefined;
  #tokens: Secret[] = [];

  constructor(cluster: Pick<Cluster, "state" | "onChange">) {
    this.#remember(cluster.state());
    cluster.onChange((state) => this.#remember(state));
  }

  /** The newest first, the one in force among them. */
  all(): readonly Secret[] {
    return this.#tokens;
  }

  #remember(state: ClusterState): void {
    // Files that are being repaired are of no other cluster.
    if (state.status === "closed") return;
    const { clusterId, memberToken } =
      state.status === "member" ? state.credentials : { clusterId: undefined, memberToken: undefined };
    if (clusterId !== this.#clusterId) this.#tokens = [];
    this.#clusterId = clusterId;
    if (memberToken === undefined) return;
    const others = this.#tokens.filter((token) => token.expose() !== memberToken.expose());
    this.#tokens = [memberToken, ...others].slice(0, MOST_TOKENS);
  }
}

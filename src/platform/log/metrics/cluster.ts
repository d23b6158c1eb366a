import { Counter, type Registry } from "prom-client";
import { gaugeBy } from "./instruments.ts";

/** The nodes of the cluster, how they are greeted, and who joins. */
export class ClusterMetrics {
  readonly #heartbeats: Counter<"outcome">;
  readonly #joinRuns: Counter<"outcome">;
  #countNodes: () => Iterable<readonly [string, number]> = () => [];

  constructor(registry: Registry) {
    const registers = [registry];
    gaugeBy(
      registry,
      {
        name: "claviger_cluster_nodes",
        help: "Nodes of the cluster, this one among them, by state.",
        label: "state",
      },
      () => this.#countNodes(),
    );
    this.#heartbeats = new Counter({
      name: "claviger_cluster_heartbeats_total",
      help: "Heartbeats that this node sent, by outcome.",
      labelNames: ["outcome"],
      registers,
    });
    this.#joinRuns = new Counter({
      name: "claviger_cluster_join_runs_total",
      help: "Joins that others began here, and how they ended.",
      labelNames: ["outcome"],
      registers,
    });
  }

  /** From where the number of nodes in each state is read. */
  countingNodes(count: () => Iterable<readonly [string, number]>): void {
    this.#countNodes = count;
  }

  heartbeat(outcome: "ok" | "needs_pin" | "refused" | "unreachable"): void {
    this.#heartbeats.inc({ outcome });
  }

  joinRun(outcome: "begun" | "admitted" | "wrong_pin" | "refused"): void {
    this.#joinRuns.inc({ outcome });
  }
}

import { Gauge, type Registry } from "prom-client";

/** From a local answer to a long completion, in seconds. */
export const LATENCY_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** One value that is read when somebody asks for it. */
export function gaugeOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** A gauge whose series are exactly those that `read` gives at the moment of asking, by the value of `label`. */
export function gaugeBy<Label extends string>(
  registry: Registry,
  what: { readonly name: string; readonly help: string; readonly label: Label },
  read: () => Iterable<readonly [string, number]>,
): void {
  new Gauge<string>({
    name: what.name,
    help: what.help,
    labelNames: [what.label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, number] of read()) this.set({ [what.label]: value }, number);
    },
  });
}

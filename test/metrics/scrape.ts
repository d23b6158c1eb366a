import type { TestClaviger } from "#test/claviger.ts";
import { type Family, parseExposition } from "./exposition.ts";

/** One reading of `/metrics`. */
export class Reading {
  readonly families: ReadonlyMap<string, Family>;

  constructor(text: string) {
    this.families = parseExposition(text);
  }

  /** The value of the one series with exactly these labels; 0 when there is none yet, as `increase` has it. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = JSON.stringify(Object.entries(labels).sort());
    const family = this.families.get(name.replace(/_(bucket|sum|count)$/, "")) ?? this.families.get(name);
    if (family === undefined) throw new Error(`no metric is called ${name}`);
    const found = family.samples.find(
      (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
    );
    return found?.value ?? 0;
  }

  /** Every series of a metric. */
  series(name: string): number {
    return this.families.get(name)?.samples.length ?? 0;
  }

  /** All values of all labels. */
  labelValues(): Set<string> {
    const samples = [...this.families.values()].flatMap((family) => family.samples);
    return new Set(samples.flatMap(({ labels }) => Object.values(labels)));
  }
}

/** A server's metrics as a viewer reads them. */
export class Scraper {
  readonly #claviger: TestClaviger;
  readonly #authorization: string;

  constructor(claviger: TestClaviger, viewerKey: string) {
    this.#claviger = claviger;
    this.#authorization = `Bearer ${viewerKey}`;
  }

  async read(): Promise<Reading> {
    const headers = { authorization: this.#authorization };
    const answer = await this.#claviger.call({ path: "/metrics", headers });
    if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}: ${answer.text}`);
    return new Reading(answer.text);
  }

  /** The first reading of which `isSettled` is true; the test's own time limit ends the wait. */
  async until(isSettled: (reading: Reading) => boolean): Promise<Reading> {
    for (;;) {
      const reading = await this.read();
      if (isSettled(reading)) return reading;
    }
  }

  /** A reading taken when no other request is under way, so that all that were made are counted. */
  quiet(): Promise<Reading> {
    return this.until((reading) => reading.value("claviger_http_requests_running") === 1);
  }
}

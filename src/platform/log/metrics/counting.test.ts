import { AggregatorRegistry, Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { CounterFamily, LatencyFamily } from "./counting.ts";
import { LATENCY_BUCKETS_S } from "./instruments.ts";

const COUNTED = { name: "c_total", help: "Things.\\ Many\nof them.", labelNames: ["x", "y"] as const };
const TIMED = { name: "h", help: "Times.", labelNames: ["x"] as const };
const NAMES = ["b", "a", 'q"\\\n', "10", "9", ""];
const random = seededRandom(7);
const below = (limit: number) => random.bytes(4).readUInt32LE() % limit;
const oneOf = (names: readonly string[]) => names[below(names.length)] ?? "";

/** The same happenings, counted by ours and by the library's own. */
function countedTwice() {
  const [ours, theirs] = [new Registry(), new Registry()];
  const counter = new CounterFamily(ours, COUNTED);
  const histogram = new LatencyFamily(ours, TIMED);
  const itsCounter = new Counter({ ...COUNTED, registers: [theirs] });
  const itsHistogram = new Histogram({ ...TIMED, buckets: LATENCY_BUCKETS_S, registers: [theirs] });
  return {
    ours,
    theirs,
    happen(): void {
      const [x, y, amount] = [oneOf(NAMES), oneOf(NAMES), below(3) / 7];
      counter.labels(x, y).inc(amount);
      itsCounter.labels(x, y).inc(amount);
      const bound = LATENCY_BUCKETS_S[below(LATENCY_BUCKETS_S.length)] ?? 0;
      for (const seconds of [0, bound, bound + Number.EPSILON * 256, (below(4e6) * bound) / 1e6, 121]) {
        histogram.labels(x).observe(seconds);
        itsHistogram.labels(x).observe(seconds);
      }
    },
  };
}

test("[W3] what is counted in plain numbers reads to the letter as the library writes its own", async () => {
  const { ours, theirs, happen } = countedTwice();
  expect(await ours.metrics()).toBe(await theirs.metrics());
  for (let scrape = 0; scrape < 3; scrape++) {
    for (let at = 0; at < 40; at++) happen();
    expect(await ours.metrics()).toBe(await theirs.metrics());
    expect(await ours.metrics()).toBe(await theirs.metrics());
  }
});

test("[W3] the counts of several threads are added up to the letter alike", async () => {
  const threads = [countedTwice(), countedTwice(), countedTwice()];
  for (const { happen } of threads) for (let at = 0; at < 20; at++) happen();
  const sent = async (registries: Registry[]) =>
    structuredClone(await Promise.all(registries.map((registry) => registry.getMetricsAsJSON())));
  const [ours, theirs] = [
    await sent(threads.map((thread) => thread.ours)),
    await sent(threads.map((thread) => thread.theirs)),
  ];
  const text = await AggregatorRegistry.aggregate(ours).metrics();
  expect(text).toBe(await AggregatorRegistry.aggregate(theirs).metrics());
  expect(text).toContain('h_count{x="b"}');
});

test("[W3] a series that counted nothing yet does not show", async () => {
  const registry = new Registry();
  const counter = new CounterFamily(registry, COUNTED);
  new LatencyFamily(registry, TIMED).labels("x");
  counter.labels("x", "y");
  expect(await registry.metrics()).not.toMatch(/^[^#\n]/m);
  counter.labels("x", "y").inc(0);
  expect(await registry.metrics()).toContain('c_total{x="x",y="y"} 0\n');
});

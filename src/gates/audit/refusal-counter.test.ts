import { describe, expect, it } from "vitest";
import { RefusalCounter } from "./refusal-counter.ts";

const REFUSAL = {
  actor: null,
  address: "192.0.2.1",
  route: "/v1/models",
  action: "gateway.use",
  outcome: "denied",
  requestId: null,
} as const;

describe("counting refusals", () => {
  it("[W1] beyond its capacity everything is one sum without address and route", () => {
    const counter = new RefusalCounter(3);
    for (let index = 0; index < 1000; index++) counter.add({ ...REFUSAL, address: `192.0.2.${index}` }, 0);
    const { entries } = counter.take(60_000, 500);
    expect(entries).toHaveLength(4);
    expect(entries.at(-1)).toMatchObject({ address: null, target: null, outcome: "denied", count: 997 });
  });

  it("[W1] a route of any length takes a bounded place", () => {
    const counter = new RefusalCounter(3);
    counter.add({ ...REFUSAL, route: "/".repeat(100_000) }, 0);
    expect(counter.take(60_000, 500).entries[0]?.target).toHaveLength(256);
  });

  it("[W1] what is counted while a sum is being written is not lost", () => {
    const counter = new RefusalCounter(1);
    counter.add(REFUSAL, 0);
    counter.add({ ...REFUSAL, address: "192.0.2.2" }, 0);
    const { entries, forget } = counter.take(Number.POSITIVE_INFINITY, 500);
    counter.add(REFUSAL, 1);
    counter.add({ ...REFUSAL, address: "192.0.2.2" }, 1);
    forget();
    expect(entries.map((entry) => entry.count)).toEqual([1, 1]);
    expect(counter.take(Number.POSITIVE_INFINITY, 500).entries.map((entry) => entry.count)).toEqual([1, 1]);
  });

  it("[W1] nothing is forgotten before it is written", () => {
    const counter = new RefusalCounter(3);
    counter.add(REFUSAL, 0);
    counter.take(60_000, 500);
    const { entries, forget } = counter.take(60_000, 500);
    expect(entries).toHaveLength(1);
    forget();
    expect(counter.take(60_000, 500).entries).toEqual([]);
  });
});

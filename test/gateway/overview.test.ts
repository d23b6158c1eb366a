import { expect, test } from "vitest";
import * as z from "zod";
import { FakeClock } from "#test/fake-clock.ts";
import { FakeTimers } from "#test/fake-timers.ts";
import { chat, MODEL, startBench } from "./bench.ts";

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);

const figures = z.object({ requests: z.number(), errors: z.number() }).loose();
const overview = z.object({
  from: z.string(),
  to: z.string(),
  step: z.string(),
  complete: z.boolean(),
  totals: figures,
  before: figures,
  series: z.array(figures.extend({ time: z.string() })),
});

test("[G9] an overview has totals, every step, percentiles, and the period before; summed or not yet", async () => {
  const clock = new FakeClock(NOON + 1);
  const timers = new FakeTimers();
  await using bench = await startBench({ clock, timers });
  const post = (model: string) =>
    bench.claviger.call({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${bench.key}` },
      body: chat({ model }),
    });
  await post(MODEL);
  await post("nowhere");
  const read = async (query: string) =>
    (await bench.claviger.control({ path: `/api/v1/overview${query}` })).json;
  const asked = "?from=2026-11-21T11:00:00Z&to=2026-11-21T14:00:00Z&step=hour";
  const first = overview.parse(await read(asked));
  expect(first).toMatchObject({
    from: "2026-11-21T11:00:00.000Z",
    to: "2026-11-21T14:00:00.000Z",
    step: "hour",
    complete: true,
    totals: { requests: 2, errors: 1, client_errors: 1, server_errors: 0 },
    before: { requests: 0, errors: 0, from: "2026-11-21T08:00:00.000Z", to: "2026-11-21T11:00:00.000Z" },
  });
  expect(first.series.map(({ time, requests }) => [time, requests])).toEqual([
    ["2026-11-21T11:00:00.000Z", 0],
    ["2026-11-21T12:00:00.000Z", 2],
    ["2026-11-21T13:00:00.000Z", 0],
  ]);
  timers.advance(60_000);
  expect(await read(asked)).toEqual(first);
  clock.advance(HOUR_MS);
  expect(overview.parse(await read("")).totals).toEqual(first.totals);
});

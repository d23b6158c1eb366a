import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { startUpstream } from "#test/upstream.ts";
import {
  type DeclaredBench,
  declared,
  freshValue,
  presentedTo,
  startDeclaredBench,
} from "./declared-bench.ts";
import { holdAll } from "./declared-threads.ts";

const PATH = "/api/v1/providers";
const rows = z.object({ data: z.array(z.object({ name: z.string(), id: z.string(), source: z.string() })) });
const listOf = async ({ claviger }: Pick<DeclaredBench, "claviger">) =>
  rows.parse((await claviger.control({ path: PATH })).json).data;

test.each([
  1, 2,
])("[I16] with %i threads a new list changes what it changes in every thread, and leaves the rest as it was", async (workers) => {
  const clock = new FakeClock();
  const [first, second, moved] = [freshValue(), freshValue(), freshValue()];
  await using bench = await startDeclaredBench({ workers, clock, env: { A: first, B: second, C: moved } });
  await using changing = await startUpstream({ listsApart: true });
  await using target = await startUpstream({ listsApart: true });
  const kept = (name = "kept") =>
    declared(name, { base_url: bench.upstream.baseUrl, credentials: [{ env: "A" }, { env: "B" }] });
  const other = (base_url: string, variable: string) =>
    declared("other", { base_url, credential: { env: variable } });
  const listing = bench.upstream.nextListing();
  const { declareProviders } = bench.claviger.app;
  await declareProviders([kept(), other(changing.baseUrl, "A")]);
  await listing;
  using held = await holdAll(bench, workers);
  const askAll = (model: string) => held.ask(model);
  const all = <One>(one: One) => Array.from({ length: workers }, () => one);
  expect(await askAll("kept")).toEqual(all(200));
  bench.upstream.behave({ kind: "error", status: 429, headers: { "retry-after": "600" } });
  expect(await held.askFirst("kept")).toBe(429);
  bench.upstream.behave({ kind: "ok" });
  // The word goes from thread to thread by the main one: an answer of the main thread comes after it.
  await bench.claviger.control({ path: "/api/v1/requests" });
  expect(await askAll("kept")).toEqual(all(200));
  const [listed, connections, before] = [
    bench.upstream.listed,
    bench.upstream.connections,
    bench.upstream.requests.length,
  ];
  expect(await askAll("other")).toEqual(all(200));
  await declareProviders([other(target.baseUrl, "C"), kept()]);
  expect(await askAll("other")).toEqual(all(200));
  expect(presentedTo(changing)).toEqual(all(first));
  expect(presentedTo(target)).toEqual(all(moved));
  expect(await askAll("kept")).toEqual(all(200));
  // What cooled down still does, and neither a list nor a connection was needed anew.
  expect(presentedTo(bench.upstream).slice(before)).toEqual(all(second));
  expect([bench.upstream.listed, bench.upstream.connections]).toEqual([listed, connections]);
  await declareProviders([kept()]);
  expect(await askAll("other")).toEqual(all(404));
  await declareProviders([]);
  expect(await askAll("kept")).toEqual(all(404));
});

test.each([
  1, 2,
])("[I16] with %i threads the order of the file decides over a bare model name, also where it alone changed", async (workers) => {
  await using second = await startUpstream({ listsApart: true });
  await using bench = await startDeclaredBench({ workers });
  const one = declared("one", { base_url: bench.upstream.baseUrl });
  const two = declared("two", { base_url: second.baseUrl });
  await bench.claviger.app.declareProviders([one, two]);
  using held = await holdAll(bench, workers);
  await held.askBare();
  expect([bench.upstream.requests.length, second.requests.length]).toEqual([workers, 0]);
  const listed = second.listed;
  await bench.claviger.app.declareProviders([two, one]);
  await held.askBare();
  expect([bench.upstream.requests.length, second.requests.length]).toEqual([workers, workers]);
  expect(second.listed).toBe(listed);
});

test("[I16] a declared provider and its secret are the same after a restart", async () => {
  await using bench = await startDeclaredBench();
  const list = [declared("lab", { base_url: bench.upstream.baseUrl, credential: { secret: "main" } })];
  const value = freshValue();
  await bench.setSecret("main", value);
  await bench.claviger.app.declareProviders(list);
  const [before] = await listOf(bench);
  await bench.claviger.app.close();
  await using again = await startClaviger({ dataDir: bench.claviger.dataDir });
  expect(await listOf({ claviger: again })).toEqual([]);
  await again.app.declareProviders(list);
  expect((await listOf({ claviger: again }))[0]?.id).toBe(before?.id);
  const { key } = await again.issueKey("later");
  const body = { model: "lab/sim-1", input: "x" };
  const headers = { authorization: `Bearer ${key}` };
  expect((await again.call({ method: "POST", path: "/v1/embeddings", headers, body })).status).toBe(200);
  expect(presentedTo(bench.upstream)).toEqual([value]);
});

import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";
import { chat } from "./bench.ts";

const ask = (claviger: TestClaviger, key: string, model: string) =>
  claviger.call({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body: chat({ model }),
  });

test("[G5] of two providers that know a bare model the one ordered first gets it, and the answer names it", async () => {
  await using first = await startUpstream({ listsApart: true, models: ["shared", "org/model:1"] });
  await using second = await startUpstream({ listsApart: true, models: ["shared", "own"] });
  await using claviger = await startClaviger();
  await claviger.addProvider("one", first.baseUrl);
  await claviger.addProvider("two", second.baseUrl);
  const { key } = await claviger.issueKey("app");
  const expected = [
    ["shared", "one/shared"],
    ["own", "two/own"],
    ["two/shared", "two/shared"],
    ["org/model:1", "one/org/model:1"],
    ["two/not listed", "two/not%20listed"],
  ] as const;
  for (const [model, target] of expected) {
    const answer = await ask(claviger, key, model);
    expect(answer.status).toBe(200);
    expect(answer.headers["x-claviger-target"]).toBe(target);
  }
  expect((await ask(claviger, key, "nowhere")).status).toBe(404);
  expect(first.requests.map(({ body }) => JSON.parse(body.toString()).model)).toEqual([
    "shared",
    "org/model:1",
  ]);
});

test("[G5] a saved provider's models are known at once, without anyone asking for the list", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  const listing = upstream.nextListing();
  await claviger.addProvider("sim", upstream.baseUrl);
  await listing;
  const moved = await startUpstream({ listsApart: true, models: ["moved"] });
  await using _moved = moved;
  const again = moved.nextListing();
  const change = { base_url: moved.baseUrl, credentials: [] };
  await claviger.control({ method: "PATCH", path: "/api/v1/providers/sim", body: change });
  await again;
  const { key } = await claviger.issueKey("app");
  expect((await ask(claviger, key, "moved")).status).toBe(200);
  expect((await ask(claviger, key, "sim-1")).status).toBe(404);
});

test("[G5] a list that hangs delays no request that names its provider", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  const until = new Promise<void>(() => undefined);
  upstream.behave({ kind: "stall", after: "request", until });
  const listing = upstream.nextListing();
  await claviger.addProvider("slow", upstream.baseUrl);
  await listing;
  upstream.behave({ kind: "ok" });
  const { key } = await claviger.issueKey("app");
  expect((await ask(claviger, key, "slow/sim-1")).status).toBe(200);
});

test("[G1] a model is found by its whole name and by its bare one, slashes and escapes included, and by no part of it", async () => {
  await using upstream = await startUpstream({ listsApart: true, models: ["open", "other", "a/b c"] });
  await using claviger = await startClaviger();
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const get = (path: string, as = key) => claviger.call({ path, headers: { authorization: `Bearer ${as}` } });
  const list = await get("/v1/models");
  expect(list.json).toMatchObject({
    object: "list",
    data: [{ id: "sim/open" }, { id: "sim/other" }, { id: "sim/a/b c" }],
  });
  for (const path of ["sim/a/b%20c", "sim%2Fa%2Fb%20c", "a/b%20c"])
    expect((await get(`/v1/models/${path}`)).json).toMatchObject({ id: "sim/a/b c" });
  for (const path of ["b%20c", "sim/none", "none", "%2e%2e"]) {
    const answer = await get(`/v1/models/${path}`);
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ error: { code: "model_not_found", param: "model" } });
  }
  expect((await get("/v1/models/%zz")).status).toBe(400);
});

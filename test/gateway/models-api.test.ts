import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";

const page = z.object({
  data: z.array(z.record(z.string(), z.unknown())),
  next_cursor: z.string().nullable(),
});

async function listed(claviger: TestClaviger, query = "", key?: string) {
  const path = `/api/v1/models${query}`;
  const headers = { authorization: `Bearer ${key}` };
  const answer = await (key === undefined ? claviger.control({ path }) : claviger.call({ path, headers }));
  expect(answer.status).toBe(200);
  const { data, next_cursor } = page.parse(answer.json);
  return { ids: data.map(({ id }) => id), data, next_cursor };
}

const PRICED = `settings:
  prices:
    - { model: local-1, provider: one, input_usd_per_million: 0.4, output_usd_per_million: 1.6 }
`;

test("[G5] [D4] the API lists the models page by page, by provider and by a part of the name, with window and prices where known", async () => {
  await using first = await startUpstream({ listsApart: true, models: ["gpt-4o", "local-1"] });
  await using second = await startUpstream({ listsApart: true, models: ["Other"] });
  await using claviger = await startClaviger({ yaml: PRICED });
  await claviger.addProvider("one", first.baseUrl);
  await claviger.addProvider("two", second.baseUrl);
  const all = await listed(claviger);
  expect(all.ids).toEqual(["one/gpt-4o", "one/local-1", "two/Other"]);
  const [known, priced, unknown] = all.data;
  expect(known).toMatchObject({ model: "gpt-4o", provider: "one", dialect: "openai" });
  expect(known).toMatchObject({ context_window: 128_000 });
  expect(known).toMatchObject({ input_usd_per_million: 2.5, output_usd_per_million: 10 });
  expect(priced).toMatchObject({ input_usd_per_million: 0.4, output_usd_per_million: 1.6 });
  expect(unknown).toMatchObject({ context_window: null, input_usd_per_million: null });
  expect((await listed(claviger, "?provider=two")).ids).toEqual(["two/Other"]);
  expect((await listed(claviger, "?search=OTH")).ids).toEqual(["two/Other"]);
  const firstPage = await listed(claviger, "?limit=2");
  expect([firstPage.ids.length, firstPage.next_cursor]).toEqual([2, "one/local-1"]);
  const rest = await listed(claviger, "?limit=2&cursor=one%2Flocal-1");
  expect([rest.ids, rest.next_cursor]).toEqual([["two/Other"], null]);
});

test("[G5] [D4] the models are sorted by name, window or price, what is not known last, on pages that hold each once", async () => {
  await using first = await startUpstream({ listsApart: true, models: ["gpt-4o", "local-1", "Zeta"] });
  await using second = await startUpstream({ listsApart: true, models: ["gpt-4o-mini"] });
  await using claviger = await startClaviger({ yaml: PRICED });
  await claviger.addProvider("one", first.baseUrl);
  await claviger.addProvider("another", second.baseUrl);
  const pagesOf = async (sort: string) => {
    const ids: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await listed(claviger, `?limit=1&sort=${sort}${cursor && `&cursor=${cursor}`}`);
      ids.push(...page.ids);
      cursor = page.next_cursor;
    }
    return ids;
  };
  const orders = {
    id: ["another/gpt-4o-mini", "one/gpt-4o", "one/local-1", "one/Zeta"],
    "-id": ["one/Zeta", "one/local-1", "one/gpt-4o", "another/gpt-4o-mini"],
    "-context_window": ["another/gpt-4o-mini", "one/gpt-4o", "one/Zeta", "one/local-1"],
    input_usd_per_million: ["another/gpt-4o-mini", "one/local-1", "one/gpt-4o", "one/Zeta"],
    "-output_usd_per_million": ["one/gpt-4o", "one/local-1", "another/gpt-4o-mini", "one/Zeta"],
  };
  for (const [sort, ids] of Object.entries(orders)) expect([sort, await pagesOf(sort)]).toEqual([sort, ids]);
  expect((await listed(claviger, "?provider=one&search=L&sort=-id")).ids).toEqual(["one/local-1"]);
  for (const [query, text] of [
    ["?sort=colour", /must be one of id, -id, context_window/],
    ["?cursor=no-such-model", /give the next_cursor/],
    ["?sort=id&cursor=one%2Fgpt-4o", /with the sort of that request/],
  ] as const) {
    const answer = await claviger.control({ path: `/api/v1/models${query}` });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(text)]);
  }
});

test("[G5] the API lists to a key the models it may read, and no other", async () => {
  await using first = await startUpstream({ listsApart: true });
  await using second = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger({
    yaml: "resources:\n  first-only: { resource_type: PermissionSet, allow: ['models.read:one/*'] }\n",
  });
  await claviger.addProvider("one", first.baseUrl);
  await claviger.addProvider("two", second.baseUrl);
  const { key } = await claviger.issueKey("reader", ["first-only"]);
  expect((await listed(claviger, "", key)).ids).toEqual(["one/sim-1"]);
  const stranger = await claviger.issueKey("stranger", []);
  const headers = { authorization: `Bearer ${stranger.key}` };
  expect((await claviger.call({ path: "/api/v1/models", headers })).status).toBe(403);
});

import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { OFFLINE } from "#test/offline.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";

const VERSION = { "anthropic-version": "2023-06-01" };
const listed = z.object({
  data: z.array(
    z.strictObject({
      type: z.literal("model"),
      id: z.string(),
      display_name: z.string(),
      created_at: z.iso.datetime(),
    }),
  ),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

async function servers(models: readonly string[]): Promise<{
  claviger: TestClaviger;
  claude: Upstream;
  key: string;
  [Symbol.asyncDispose]: () => Promise<void>;
}> {
  const stack = new AsyncDisposableStack();
  const claude = stack.use(await startUpstream({ dialect: "anthropic", models, listsApart: true }));
  const openai = stack.use(await startUpstream({ models: ["gpt-sim"], listsApart: true }));
  const claviger = stack.use(await startClaviger());
  await claviger.addProvider("open", openai.baseUrl);
  await claviger.addProvider("work", claude.baseUrl, undefined, "anthropic-compatible");
  const { key } = await claviger.issueKey("app");
  return { claviger, claude, key, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
const get = (it: { claviger: TestClaviger; key: string }, path: string, headers: object = VERSION) =>
  it.claviger.call({ path, headers: { authorization: `Bearer ${it.key}`, ...headers } });
const idsOf = async (it: { claviger: TestClaviger; key: string }, query: string) =>
  listed.parse((await get(it, `/v1/models${query}`)).json).data.map(({ id }) => id);

test("[G1] with `anthropic-version` the list is Anthropic's, of models that can be called so, bare and whole", async () => {
  await using it = await servers(["claude-a", "claude-b", "claude-c"]);
  const answer = await get(it, "/v1/models?limit=1000");
  const list = listed.parse(answer.json);
  const ids = ["a", "b", "c"].flatMap((letter) => [`claude-${letter}`, `work/claude-${letter}`]);
  expect(list.data.map(({ id }) => id)).toEqual(ids);
  expect(list.data.map((model) => model.display_name).slice(0, 2)).toEqual([
    "claude-a (work)",
    "work/claude-a",
  ]);
  expect(list).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) });
  expect(answer.headers["request-id"]).toBe(answer.headers["x-request-id"]);
  for (const model of ids) {
    const path = "/v1/messages";
    const sent = await it.claviger.call({
      method: "POST",
      path,
      headers: { "x-api-key": it.key },
      body: { model },
    });
    expect(sent.headers["x-claviger-target"]).toBe(ids[ids.indexOf(model) | 1]);
  }
  const openai = await get(it, "/v1/models", {});
  expect(openai.json).toMatchObject({
    object: "list",
    data: [{ id: "open/gpt-sim" }, { id: "work/claude-a" }, {}, {}],
  });
});

test("[G1] of two providers with one model, and of a name like a provider's, each listed name leads to what it names", async () => {
  await using it = await servers(["claude-a", "open/claude"]);
  await using second = await startUpstream({ dialect: "anthropic", models: ["claude-a"], listsApart: true });
  await it.claviger.addProvider("home", second.baseUrl, undefined, "anthropic-compatible");
  expect(await idsOf(it, "")).toEqual(["claude-a", "work/claude-a", "work/open/claude", "home/claude-a"]);
});

test("[G1] the list turns pages both ways, and refuses a page that cannot be", async () => {
  await using it = await servers(["a", "b", "c"]);
  expect(await idsOf(it, "?limit=4")).toEqual(["a", "work/a", "b", "work/b"]);
  const first = listed.parse((await get(it, "/v1/models?limit=4")).json);
  expect(first).toMatchObject({ has_more: true, first_id: "a", last_id: "work/b" });
  const next = listed.parse((await get(it, `/v1/models?limit=4&after_id=${first.last_id}`)).json);
  expect(next).toMatchObject({ has_more: false, first_id: "c", last_id: "work/c" });
  expect(await idsOf(it, "?limit=1&before_id=c")).toEqual(["work/b"]);
  const back = listed.parse((await get(it, "/v1/models?limit=5&before_id=c")).json);
  expect(back).toMatchObject({ has_more: false, first_id: "a" });
  expect(await get(it, "/v1/models?after_id=work/c")).toMatchObject({
    json: { data: [], has_more: false, first_id: null, last_id: null },
  });
  for (const query of [
    "limit=0",
    "limit=1001",
    "limit=x",
    "limit=-1",
    "after_id=no",
    "after_id=a&before_id=b",
  ]) {
    const refused = await get(it, `/v1/models?${query}`);
    expect(refused.status, query).toBe(400);
    expect(refused.json).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  }
});

test("[G1] one model is answered in the client's shape, under the name it was asked by", async () => {
  await using it = await servers(["claude-a"]);
  for (const id of ["claude-a", "work/claude-a"]) {
    expect((await get(it, `/v1/models/${id}`)).json).toMatchObject({ type: "model", id });
    expect((await get(it, `/v1/models/${id}`, {})).json).toMatchObject({
      object: "model",
      id: "work/claude-a",
    });
  }
  for (const id of ["gpt-sim", "open/gpt-sim", "nothing"]) {
    const missing = await get(it, `/v1/models/${id}`);
    expect(missing.status).toBe(404);
    expect(missing.json).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  }
});

test("[G2] [H2] an Anthropic kind has no /v1 in its base URL, and the path is appended once", async () => {
  await using upstream = await startUpstream({ dialect: "anthropic", models: ["a", "b", "c", "d", "e"] });
  await using claviger = await startClaviger({ egress: OFFLINE });
  const path = "/api/v1/providers";
  const create = (body: object) =>
    claviger.control({ method: "POST", path, body: { credentials: [], ...body } });
  const official = await create({ name: "official", kind: "anthropic" });
  expect(official.json).toMatchObject({ base_url: "https://api.anthropic.com" });
  await claviger.control({ method: "DELETE", path: `${path}/official` });
  const kind = "anthropic-compatible";
  expect((await create({ name: "no", kind })).status).toBe(400);
  for (const base_url of [`${upstream.baseUrl}/v1`, `${upstream.baseUrl}/v1/`]) {
    const refused = await create({ name: "no", kind, base_url });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("/v1");
  }
  const credentials = [{ type: "api_key", value: "upstream-credential-WXYZ" }];
  const made = await create({ name: "sim", kind, base_url: `${upstream.baseUrl}/`, credentials });
  expect(made).toMatchObject({ status: 201, json: { base_url: upstream.baseUrl } });
  const test = await claviger.control({ method: "POST", path: `${path}/sim/test` });
  expect(test.json).toMatchObject({ ok: true });
  const asked = upstream.requests;
  const first = "/v1/models?limit=1000";
  expect(new Set(asked.map((request) => request.path))).toEqual(
    new Set([first, `${first}&after_id=b`, `${first}&after_id=d`]),
  );
  for (const { rawHeaders } of asked) {
    expect(rawHeaders).toContain("anthropic-version");
    expect(rawHeaders).toContain("x-api-key");
    expect(rawHeaders.join(" ")).not.toContain("Bearer");
  }
  const { key } = await claviger.issueKey("app");
  expect(await idsOf({ claviger, key }, "?limit=1000")).toHaveLength(10);
});

test("[G2] an upstream whose list never ends is asked for so many pages and no more", async () => {
  await using upstream = await startUpstream({ dialect: "anthropic", listsApart: true });
  await using claviger = await startClaviger();
  const endless = { data: [{ id: "same" }], has_more: true, last_id: "same" };
  upstream.behave({
    kind: "raw",
    headers: { "content-type": "application/json" },
    chunks: [JSON.stringify(endless)],
  });
  await claviger.addProvider("sim", upstream.baseUrl, undefined, "anthropic-compatible");
  const before = upstream.listed;
  const test = await claviger.control({ method: "POST", path: "/api/v1/providers/sim/test" });
  expect(test.json).toMatchObject({ ok: true });
  expect(upstream.listed - before).toBeLessThanOrEqual(4);
});

test("[G2] of an upstream's list ten pages are read", async () => {
  const models = Array.from({ length: 30 }, (_, index) => `m${index}`);
  await using it = await servers(models);
  expect(await idsOf(it, "")).toHaveLength(2 * 20);
});

test("[G1] a provider whose list hangs delays the list of the others by less than a client waits for it", async () => {
  await using it = await servers(["claude-a"]);
  await idsOf(it, "");
  await using hanging = await startUpstream({ listsApart: true });
  hanging.behave({ kind: "stall", after: "request", until: new Promise(() => undefined) });
  await it.claviger.addProvider("slow", hanging.baseUrl);
  const asked = performance.now();
  expect(await idsOf(it, "?limit=1000")).toEqual(["claude-a", "work/claude-a"]);
  // Claude Code gives up after 3 s.
  expect(performance.now() - asked).toBeLessThan(3000);
});

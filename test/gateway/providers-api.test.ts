import { expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { OFFLINE } from "#test/offline.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";

const PATH = "/api/v1/providers";
const VALUE = "upstream-credential-WXYZ";
const credentials = [{ type: "api_key", value: VALUE }];
const wanted = (more: object = {}) => ({
  name: "sim",
  kind: "openai-compatible",
  base_url: "http://127.0.0.1:9/v1",
  credentials,
  ...more,
});
const create = (claviger: TestClaviger, body: object) =>
  claviger.control({ method: "POST", path: PATH, body });
const shown = z.strictObject({
  id: z.string().startsWith("prov_"),
  name: z.string(),
  kind: z.string(),
  base_url: z.string(),
  options: z.record(z.string(), z.unknown()),
  source: z.literal("store"),
  created_at: z.iso.datetime(),
  credentials: z.array(
    z.strictObject({
      id: z.string().startsWith("cred_"),
      type: z.literal("api_key"),
      hint: z.string().max(4),
    }),
  ),
});

test("[H2] a provider is made, listed, read, changed and removed, and its credential is shown by hint alone", async () => {
  await using claviger = await startClaviger({ egress: OFFLINE });
  const made = await create(claviger, wanted());
  expect(made.status).toBe(201);
  expect(shown.parse(made.json).credentials.map(({ hint }) => hint)).toEqual(["WXYZ"]);
  await create(claviger, wanted({ name: "openai", kind: "openai", base_url: undefined }));
  const list = await claviger.control({ path: PATH });
  const page = z.strictObject({ data: z.array(shown), next_cursor: z.null() }).parse(list.json);
  expect(page.data.map(({ name, base_url }) => [name, base_url])).toEqual([
    ["sim", "http://127.0.0.1:9/v1"],
    ["openai", "https://api.openai.com/v1"],
  ]);
  const patched = await claviger.control({
    method: "PATCH",
    path: `${PATH}/sim`,
    body: {
      credentials: [
        { type: "api_key", value: "short" },
        { type: "api_key", value: "another-credential-ABCD" },
      ],
    },
  });
  expect(shown.parse(patched.json).credentials.map(({ hint }) => hint)).toEqual(["", "ABCD"]);
  const item = await claviger.control({ path: `${PATH}/sim` });
  expect(item.json).toEqual(patched.json);
  expect([made, list, patched, item].map(({ text }) => text).join("")).not.toContain("credential-");
  expect((await claviger.control({ method: "DELETE", path: `${PATH}/sim` })).status).toBe(204);
  for (const method of ["GET", "DELETE"])
    expect((await claviger.control({ method, path: `${PATH}/sim` })).status).toBe(404);
});

test("[H2] a taken name is 409, an unknown field or a wrong base URL 400", async () => {
  await using claviger = await startClaviger();
  await create(claviger, wanted());
  expect((await create(claviger, wanted())).status).toBe(409);
  const wrong = [
    { extra: 1 },
    { name: "-no" },
    { name: "a/b" },
    { kind: "unheard-of" },
    { base_url: undefined },
    { base_url: "http://127.0.0.1:9" },
    { base_url: "http://127.0.0.1:9/v1/models" },
    { base_url: "http://user:pass@127.0.0.1:9/v1" },
    { base_url: "http://127.0.0.1:9/v1?x=1" },
    { base_url: "http://127.0.0.1:9/v1#x" },
    { base_url: "http://127.0.0.1:9/v1?" },
    { base_url: "ftp://127.0.0.1/v1" },
    { base_url: "file:///v1" },
    { base_url: "/v1" },
    { credentials: [{ type: "api_key", value: "two words" }] },
    { credentials: [{ type: "password", value: "x" }] },
    { credentials: [{ type: "api_key", value: "x", more: 1 }] },
  ];
  for (const more of wrong) {
    const answer = await create(claviger, wanted({ name: "other", ...more }));
    expect(answer.status, JSON.stringify(more)).toBe(400);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.text).not.toContain(VALUE);
  }
  expect((await claviger.control({ path: `${PATH}/other` })).status).toBe(404);
});

test("[H2] a trailing slash is no part of the base URL, and the path is appended once", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  const made = await create(claviger, wanted({ base_url: `${upstream.baseUrl}/` }));
  expect(made.json).toMatchObject({ base_url: upstream.baseUrl });
  const { key } = await claviger.issueKey("app");
  await claviger.call({
    method: "POST",
    path: "/v1/embeddings",
    headers: { authorization: `Bearer ${key}` },
    body: { model: "sim/sim-1", input: "x" },
  });
  expect(upstream.requests.map(({ path }) => path)).toEqual(["/v1/embeddings"]);
});

test("[H2] a test says whether the upstream answers, and why not", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  await create(claviger, wanted({ base_url: upstream.baseUrl }));
  const run = async (name = "sim") => claviger.control({ method: "POST", path: `${PATH}/${name}/test` });
  expect(await run()).toMatchObject({ status: 200, json: { ok: true } });
  upstream.behave({ kind: "echo-credential" });
  const refused = await run();
  expect(refused).toMatchObject({ status: 200, json: { ok: false, error: expect.any(String) } });
  expect(refused.text).not.toContain(VALUE);
  expect((await run("none")).status).toBe(404);
});

test("[E4] another origin without new credentials is 400 and changes nothing; with new ones the old go nowhere", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using other = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  await create(claviger, wanted({ base_url: upstream.baseUrl }));
  const patch = (body: object) => claviger.control({ method: "PATCH", path: `${PATH}/sim`, body });
  expect((await patch({ base_url: other.baseUrl })).status).toBe(400);
  expect((await claviger.control({ path: `${PATH}/sim` })).json).toMatchObject({
    base_url: upstream.baseUrl,
  });
  const same = await patch({ base_url: upstream.baseUrl.replace("/v1", "/deep/v1") });
  expect(same.status).toBe(200);
  const fresh = [{ type: "api_key", value: "fresh-credential-0001" }];
  expect((await patch({ base_url: other.baseUrl, credentials: fresh })).status).toBe(200);
  const { key } = await claviger.issueKey("app");
  await claviger.call({
    method: "POST",
    path: "/v1/embeddings",
    headers: { authorization: `Bearer ${key}` },
    body: { model: "sim/sim-1", input: "x" },
  });
  expect(other.requests[0]?.rawHeaders).toContain("Bearer fresh-credential-0001");
  expect(other.requests[0]?.rawHeaders.join()).not.toContain(VALUE);
});

test("[E4] of changes at once none leaves a credential with an origin it was not entered for", async () => {
  await using one = await startUpstream({ listsApart: true });
  await using two = await startUpstream({ listsApart: true });
  await using claviger = await startClaviger();
  await create(claviger, wanted({ base_url: one.baseUrl }));
  const { key } = await claviger.issueKey("app");
  const patch = (body: object) => claviger.control({ method: "PATCH", path: `${PATH}/sim`, body });
  const own = (upstream: Upstream) => `only-for-${new URL(upstream.baseUrl).port}-0000`;
  const ask = () =>
    claviger.call({
      method: "POST",
      path: "/v1/embeddings",
      headers: { authorization: `Bearer ${key}` },
      body: { model: "sim/sim-1", input: "x" },
    });
  await patch({ credentials: [{ type: "api_key", value: own(one) }] });
  for (let round = 0; round < 8; round++) {
    const last = round % 2 === 0 ? one : two;
    const moves = [one, two, last].map((upstream) => ({
      base_url: upstream.baseUrl,
      credentials: [{ type: "api_key", value: own(upstream) }],
    }));
    const strays = [one, two].map((upstream) => ({ base_url: upstream.baseUrl }));
    const [changes, answers] = await Promise.all([
      Promise.all([...moves, ...strays].map(patch)),
      Promise.all([ask(), ask(), ask(), ask()]),
    ]);
    expect(changes.slice(0, moves.length).map(({ status }) => status)).toEqual([200, 200, 200]);
    // A request that was under way during a move may fail, but not as a mistake of the server.
    for (const { status } of answers) expect([200, 502]).toContain(status);
    expect((await ask()).status).toBe(200);
  }
  for (const upstream of [one, two]) {
    expect(upstream.requests.length).toBeGreaterThan(0);
    for (const { rawHeaders } of upstream.requests)
      expect(rawHeaders.filter((text) => text.startsWith("Bearer "))).toEqual([`Bearer ${own(upstream)}`]);
  }
});

test("[E4] [G12] a credential takes no way over a proxy it was not entered for", async () => {
  await using claviger = await startClaviger();
  await create(claviger, wanted());
  const patch = (body: object) => claviger.control({ method: "PATCH", path: `${PATH}/sim`, body });
  const proxy = "http://127.0.0.1:8";
  const refused = await patch({ options: { proxy } });
  expect(refused).toMatchObject({ status: 400, json: { detail: expect.stringContaining("proxy") } });
  expect((await patch({ options: { proxy }, credentials })).status).toBe(200);
  expect((await patch({ options: { proxy, headers_timeout_ms: 5 } })).status).toBe(200);
  expect((await patch({ options: { proxy: "http://127.0.0.1:7" } })).status).toBe(400);
  expect((await patch({ options: { proxy: null } })).json).toMatchObject({
    options: { headers_timeout_ms: 5 },
  });
});

test("[H2] providers are listed in their order, or sorted, narrowed by a part of the name or base URL, page by page", async () => {
  await using claviger = await startClaviger();
  for (const [name, kind, at] of [
    ["zebra", "openai-compatible", "9/v1"],
    ["ant", "ollama", "11434/v1"],
    ["bee", "anthropic", "9"],
  ] as const) {
    const made = await create(claviger, { name, kind, base_url: `http://127.0.0.1:${at}`, credentials });
    expect(made.status).toBe(201);
  }
  const page = z.object({ data: z.array(shown), next_cursor: z.string().nullable() });
  const read = async (query: string) => {
    const names: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const path = `${PATH}?limit=1${query}${cursor && `&cursor=${cursor}`}`;
      const answer = page.parse((await claviger.control({ path })).json);
      names.push(...answer.data.map(({ name }) => name));
      cursor = answer.next_cursor;
    }
    return names;
  };
  expect(await read("")).toEqual(["zebra", "ant", "bee"]);
  expect(await read("&sort=name")).toEqual(["ant", "bee", "zebra"]);
  expect(await read("&sort=-name")).toEqual(["zebra", "bee", "ant"]);
  expect(await read("&sort=kind")).toEqual(["bee", "ant", "zebra"]);
  expect(await read("&sort=-kind")).toEqual(["zebra", "ant", "bee"]);
  expect(await read("&search=EB")).toEqual(["zebra"]);
  expect(await read("&search=%3A9&sort=name")).toEqual(["bee", "zebra"]);
  expect(await read("&search=nothing")).toEqual([]);
  for (const [query, text] of [
    ["sort=base_url", /must be one of name, -name, kind, -kind/],
    ["cursor=nobody", /give the next_cursor/],
    ["sort=name&cursor=zebra", /with the sort of that request/],
  ] as const) {
    const answer = await claviger.control({ path: `${PATH}?${query}` });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(text)]);
  }
});

test("[H2] a provider that was never there is named", async () => {
  await using claviger = await startClaviger();
  for (const [method, path] of [
    ["GET", `${PATH}/none`],
    ["PATCH", `${PATH}/none`],
    ["DELETE", `${PATH}/none`],
    ["POST", `${PATH}/none/test`],
  ] as const) {
    const answer = await claviger.control({ method, path, ...(method === "PATCH" ? { body: {} } : {}) });
    expect(answer, path).toMatchObject({ status: 404, json: { detail: "There is no provider named none." } });
  }
});

test("[H2] only who may manage providers sees or changes any", async () => {
  await using claviger = await startClaviger();
  await create(claviger, wanted());
  const { key } = await claviger.issueKey("viewer", ["viewer"]);
  const headers = { authorization: `Bearer ${key}` };
  const calls = [
    ["GET", PATH],
    ["POST", PATH],
    ["GET", `${PATH}/sim`],
    ["PATCH", `${PATH}/sim`],
    ["DELETE", `${PATH}/sim`],
    ["POST", `${PATH}/sim/test`],
  ] as const;
  for (const [method, path] of calls) {
    const body =
      method === "POST" && path === PATH ? wanted({ name: "new" }) : method === "PATCH" ? {} : undefined;
    expect((await claviger.call({ method, path, headers, body })).status, `${method} ${path}`).toBe(403);
  }
});

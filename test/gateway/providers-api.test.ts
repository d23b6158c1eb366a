import { expect, test } from "vitest";
import { z } from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";

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
  await using claviger = await startClaviger();
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

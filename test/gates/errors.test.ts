import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { rawRequest, sendRaw } from "./raw.ts";

let claviger: TestClaviger;
let admin: string;
beforeAll(async () => {
  claviger = await startClaviger({ env: { REQUIRE_API_KEY: "true" } });
  admin = (await claviger.issueKey("admin", ["superadmin"])).key;
});
afterAll(() => claviger[Symbol.asyncDispose]());

const withKey = (extra: Record<string, string> = {}) => ({ authorization: `Bearer ${admin}`, ...extra });

describe("errors on /api", () => {
  const refusals: [number, string, object][] = [
    [401, "invalid_token", { path: "/api/v1/keys" }],
    [404, "not_found", { path: "/api/v1/nothing", headers: true }],
    [400, "bad_request", { method: "POST", path: "/api/v1/keys", headers: true, body: "{" }],
    [
      400,
      "unknown_field",
      { method: "POST", path: "/api/v1/keys", headers: true, body: { name: "a", permissions: [], x: 1 } },
    ],
    [421, "wrong_host", { path: "/api/v1/keys", headers: { host: "evil.example" } }],
  ];
  test.each(
    refusals,
  )("[A6] %i %s is problem+json with a stable code and the request id", async (status, code, call) => {
    const given = "headers" in call ? call.headers : {};
    const headers = given === true ? withKey() : Object(given);
    const answer = await claviger.call({
      path: "",
      ...call,
      headers: { ...headers, "x-request-id": "mine_1.a-B" },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      "content-type": expect.stringMatching(/^application\/problem\+json\b/),
      "x-request-id": "mine_1.a-B",
      "cache-control": "no-store",
    });
    expect(answer.json).toEqual({
      type: "about:blank",
      title: expect.any(String),
      detail: expect.any(String),
      status,
      code,
      request_id: "mine_1.a-B",
    });
  });
});

test.each([
  [401, "authentication_error", "invalid_token", "/v1/models", {}],
  [404, "not_found_error", "not_found", "/v1beta/models", { key: true }],
  [404, "not_found_error", "not_found", "/x/nothing", { key: true }],
  [421, "invalid_request_error", "wrong_host", "/v1/models", { host: "evil.example" }],
] as const)("[A6] %i on the gateway has OpenAI's shape: %s", async (status, type, code, path, given) => {
  const headers = "key" in given ? withKey() : { ...given };
  const answer = await claviger.call({ path, headers: { ...headers, "x-request-id": "mine-2" } });
  expect(answer.status).toBe(status);
  expect(answer.headers["x-request-id"]).toBe("mine-2");
  expect(answer.json).toEqual({ error: { message: expect.any(String), type, param: null, code } });
});

describe("request ids", () => {
  test.each([
    "a",
    "A-b_c.9",
    "x".repeat(64),
  ])("[A6] a well-formed one of the client's is kept: %s", async (id) => {
    for (const path of ["/health", "/api/v1/keys", "/v1/models", "/nothing"])
      expect((await claviger.call({ path, headers: { "x-request-id": id } })).headers["x-request-id"]).toBe(
        id,
      );
  });

  test.each([
    "",
    "x".repeat(65),
    "a b",
    'a"b',
    "a,b",
    "ä",
    "a/b",
    "$(id)",
  ])("[A6] any other is replaced by one of ours: %j", async (id) => {
    for (const path of ["/health", "/api/v1/keys", "/v1/models"]) {
      const lines = [`X-Request-Id: ${id}`];
      const text = await sendRaw(claviger.url, rawRequest(`GET ${path} HTTP/1.1`, lines));
      expect(text).toMatch(/\r\nx-request-id: req_[0-9A-Za-z]{16}\r\n/);
    }
  });

  test("[A6] two are none", async () => {
    const lines = ["X-Request-Id: one", "X-Request-Id: two"];
    expect(await sendRaw(claviger.url, rawRequest("GET /health HTTP/1.1", lines))).toMatch(
      /x-request-id: req_/,
    );
  });

  test("[A6] every answer bears one, also what the parser refuses", async () => {
    for (const bytes of [
      "nonsense\r\n\r\n",
      "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      rawRequest("GET /health HTTP/1.1", [`X-Large: ${"x".repeat(17_000)}`]),
      rawRequest("GET /health HTTP/1.1", ["Expect: something-else"]),
      rawRequest("OPTIONS /v1/models HTTP/1.1"),
      rawRequest("CONNECT evil.example:443 HTTP/1.1"),
      rawRequest("GET /api/v1/info%zz HTTP/1.1"),
      rawRequest("GET /v1/models HTTP/1.1", ["Upgrade: websocket", "Connection: Upgrade"]),
    ])
      expect(await sendRaw(claviger.url, bytes), bytes.slice(0, 40)).toMatch(
        /\r\nx-request-id: req_[0-9A-Za-z]{16}\r\n/,
      );
  });
});

test("[A6] no answer says where the code lies or what went wrong inside", async () => {
  const deep = `${"[".repeat(200_000)}`;
  for (const call of [
    { method: "POST", path: "/api/v1/keys", body: deep },
    { method: "POST", path: "/api/v1/keys", body: "null" },
    { method: "POST", path: "/api/v1/keys", body: '{"name":{"toString":1},"permissions":"x"}' },
    { method: "POST", path: "/api/v1/providers", body: { name: "a", kind: "openai", base_url: "::::" } },
    { path: "/api/v1/keys?limit=abc" },
    { path: "/api/v1/audit?cursor=1%20OR%201" },
    { path: "/api/v1/requests?cursor=%00" },
    { path: `/api/v1/providers/${"%00".repeat(20)}` },
    { method: "DELETE", path: "/api/v1/keys/..%2f..%2fetc" },
    { method: "POST", path: "/v1/chat/completions", body: deep },
  ]) {
    const answer = await claviger.call({ ...call, headers: withKey() });
    expect(answer.status, call.path).toBeGreaterThanOrEqual(400);
    expect(answer.status, call.path).toBeLessThan(500);
    expect(answer.text).not.toMatch(/\bat \S+:\d+|node_modules|\.ts\b|\/src\/|node:|SQLITE|FST_ERR/);
    for (const secret of [claviger.dataDir, admin]) expect(answer.text).not.toContain(secret);
  }
});

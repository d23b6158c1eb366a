import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";

const PAGE = "https://app.example";
const GUARDED = ["/v1/models", "/v1beta/models", "/x/search", "/api/v1/keys", "/api/v1/nothing"];

let claviger: TestClaviger;
let key: string;
beforeAll(async () => {
  claviger = await startClaviger({ yaml: `settings:\n  allowed_origins: ["${PAGE}"]\n` });
  ({ key } = await claviger.issueKey("app"));
});
afterAll(() => claviger[Symbol.asyncDispose]());

describe("without a credential", () => {
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { origin: "http://127.0.0.1" },
    { origin: "https://app.example.evil.example" },
    { origin: "http://app.example" },
    { origin: "https://app.example:8443" },
    { origin: `${PAGE}/` },
    { origin: `${PAGE}, https://evil.example` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "CROSS-SITE" },
    { "sec-fetch-site": "" },
  ];
  test.each(foreign)("[A10] a page of another origin is 403: %j", async (headers) => {
    for (const path of GUARDED) {
      for (const method of ["GET", "POST"]) {
        const answer = await claviger.call({ method, path, headers });
        expect(answer.status, path).toBe(403);
        expect(answer.text).toContain('"cross_origin"');
        expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
    }
  });

  test("[A10] the same origin, no origin and a typed address are let through", async () => {
    for (const headers of [
      {},
      { origin: claviger.url },
      { origin: claviger.url, "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ])
      expect((await claviger.call({ path: "/v1/models", headers })).status).toBe(200);
  });

  test("[A10] same origin in one header does not outweigh another origin in the other", async () => {
    const site = { origin: claviger.url, "sec-fetch-site": "cross-site" };
    expect((await claviger.call({ path: "/v1/models", headers: site })).status).toBe(403);
    const origin = { origin: "https://evil.example", "sec-fetch-site": "same-origin" };
    expect((await claviger.call({ path: "/v1/models", headers: origin })).status).toBe(403);
  });

  test("[A10] the refusal comes before any work: the upstream hears nothing, the body is not asked for", async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await claviger.addProvider("quiet", upstream.baseUrl, "upstream-credential-0002");
    const before = upstream.requests.length;
    const answer = await claviger.call({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { origin: "https://evil.example", "content-type": "text/plain" },
      body: JSON.stringify({ model: `quiet/${UPSTREAM_MODEL}`, messages: [] }),
    });
    expect(answer.status).toBe(403);
    expect(upstream.requests).toHaveLength(before);
    await claviger.control({ method: "DELETE", path: "/api/v1/providers/quiet" });
  });
});

describe("with a credential", () => {
  test("[A10] the origin is no reason to refuse, and no CORS answer is given to it", async () => {
    for (const origin of ["https://evil.example", "null"]) {
      const headers = { authorization: `Bearer ${key}`, origin, "sec-fetch-site": "cross-site" };
      const answer = await claviger.call({ path: "/v1/models", headers });
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("[A10] [A11] a wrong one is 401, not a way around the origin", async () => {
    const headers = { authorization: "Bearer wrong", origin: "https://evil.example" };
    expect((await claviger.call({ path: "/v1/models", headers })).status).toBe(401);
  });
});

describe("allowed_origins", () => {
  const preflight = (origin: string, path: string, extra: Record<string, string> = {}) =>
    claviger.call({
      method: "OPTIONS",
      path,
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers":
          "Authorization, content-type,x-api-key, x-stainless-os, x-stainless-retry-count, x-evil, cookie",
        ...extra,
      },
    });

  test.each([
    "/v1/chat/completions",
    "/v1/models",
    "/v1beta/models",
  ])("[A10] a preflight of an allowed page is answered on %s, without cookies", async (path) => {
    const { status, headers, text } = await preflight(PAGE, path);
    expect([status, text]).toEqual([204, ""]);
    expect(headers).toMatchObject({
      "access-control-allow-origin": PAGE,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers":
        "authorization, content-type, x-api-key, x-stainless-os, x-stainless-retry-count",
      "x-request-id": expect.any(String),
    });
    expect(headers.vary).toMatch(/^origin\b/);
    expect(headers["access-control-allow-credentials"]).toBeUndefined();
  });

  test("[A10] no other page, no other path and no other host gets an answer to it", async () => {
    for (const [origin, path] of [
      ["https://evil.example", "/v1/models"],
      ["null", "/v1/models"],
      [PAGE, "/api/v1/keys"],
      [PAGE, "/health"],
    ] as const) {
      const answer = await preflight(origin, path);
      expect(answer.status, `${origin} ${path}`).toBeGreaterThanOrEqual(401);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.headers["access-control-allow-methods"]).toBeUndefined();
    }
    expect((await preflight(PAGE, "/v1/models", { host: "rebound.example" })).status).toBe(421);
  });

  test("[A10] answers, errors and streams can be read by the allowed page", async () => {
    await using upstream = await startUpstream();
    await claviger.addProvider("cors", upstream.baseUrl, "upstream-credential-0003");
    const chat = (body: object) => ({ method: "POST", path: "/v1/chat/completions", body });
    const model = `cors/${UPSTREAM_MODEL}`;
    for (const [status, call] of [
      [200, { path: "/v1/models" }],
      [404, { path: "/v1beta/models" }],
      [400, chat({ messages: [] })],
      [200, chat({ model, messages: [{ role: "user", content: "hi" }] })],
      [200, chat({ model, stream: true, messages: [{ role: "user", content: "hi" }] })],
    ] as const) {
      const headers = { authorization: `Bearer ${key}`, origin: PAGE };
      const answer = await claviger.call({ ...call, headers });
      expect(answer.status).toBe(status);
      expect(answer.headers["access-control-allow-origin"]).toBe(PAGE);
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
      expect(answer.headers.vary).toContain("origin");
    }
  });

  test("[A10] a page that is allowed may use what is ambient, on the gateway", async () => {
    const headers = { origin: PAGE, "sec-fetch-site": "cross-site" };
    expect((await claviger.call({ path: "/v1/models", headers })).status).toBe(200);
  });

  test("[A10] nothing is answered by default", async () => {
    await using plain = await startClaviger();
    const headers = { origin: PAGE, "access-control-request-method": "POST" };
    const asked = await plain.call({ method: "OPTIONS", path: "/v1/models", headers });
    expect(asked.status).toBe(403);
    const answer = await plain.call({ path: "/v1/models" });
    for (const { headers: given } of [asked, answer])
      expect(Object.keys(given).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

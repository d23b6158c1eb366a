import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";

const KEYS = "/api/v1/keys";
const FOREIGN = {
  host: "anything.example",
  origin: "https://evil.example",
  "sec-fetch-site": "cross-site",
  "x-forwarded-for": "203.0.113.9",
};

let claviger: TestClaviger;
beforeAll(async () => {
  claviger = await startClaviger({ env: { REQUIRE_API_KEY: "true", TRUSTED_PROXIES: "127.0.0.1" } });
});
afterAll(() => claviger[Symbol.asyncDispose]());

const newKey = (name: string, more: object = {}) => ({ name, permissions: ["gateway"], ...more });
const make = (body: unknown, headers: Record<string, string> = {}) =>
  claviger.control({ method: "POST", path: KEYS, body, headers });

/** What audit says of the request that was answered so. */
async function audited({ headers }: Answer): Promise<unknown> {
  const { json } = await claviger.control({ path: "/api/v1/audit?limit=1000" });
  const rows: { request_id: string }[] = Object(json).data;
  return rows.find(({ request_id }) => request_id === headers["x-request-id"]);
}

test("[N10] neither Host, Origin nor a forwarded address counts there; the record says local, from nowhere", async () => {
  const made = await make(newKey("made-there"), FOREIGN);
  expect(made.status).toBe(201);
  expect(await audited(made)).toMatchObject({
    actor: "local",
    action: "key.create",
    outcome: "success",
    address: null,
  });
  for (const path of ["/v1/models", "/api/v1/status", "/metrics"])
    expect((await claviger.control({ path, headers: FOREIGN })).status, path).toBe(200);
});

test("[N10] an address that a key is held to is not asked there, nor is the key: who asks is local", async () => {
  const held = await make(newKey("held", { allowed_ips: ["192.0.2.1"] }));
  const authorization = `Bearer ${String(Object(held.json).key)}`;
  expect((await claviger.call({ path: "/v1/models", headers: { authorization } })).status).toBe(401);
  expect((await claviger.control({ path: "/v1/models", headers: { authorization } })).status).toBe(200);
});

test.each<readonly [what: string, call: Call, status: number, code: string]>([
  ["a body that is none", { method: "POST", path: KEYS, body: "{" }, 400, "bad_request"],
  ["a field that nobody knows", { method: "POST", path: KEYS, body: { nonsense: 1 } }, 400, "unknown_field"],
  [
    "a body of another type",
    { method: "POST", path: KEYS, body: "a=b", headers: { "content-type": "text/plain" } },
    415,
    "unsupported_media_type",
  ],
  [
    "too long a body",
    { method: "POST", path: KEYS, body: { name: "a".repeat(2 ** 20) } },
    413,
    "body_too_large",
  ],
  ["a path that is none", { path: "/api/v1/nothing" }, 404, "not_found"],
  ["a key in the URL", { path: "/api/v1/keys?api_key=sk-1" }, 400, "credential_in_url"],
])("[N10] the same gates stand there: %s", async (_what, call, status, code) => {
  const answer = await claviger.control(call);
  expect([answer.status, answer.json]).toEqual([status, expect.objectContaining({ code })]);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.headers["x-request-id"]).toMatch(/^req_/);
});

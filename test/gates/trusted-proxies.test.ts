import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { logIn } from "#test/people/person.ts";

const MODELS = "/v1/models";
/** Each is what some proxy writes of a client on this machine. */
const FORWARDING = [
  { "x-forwarded-for": "127.0.0.1" },
  { "x-forwarded-for": "::1" },
  { "x-forwarded-for": "" },
  { "x-forwarded-for": "203.0.113.9, 127.0.0.1" },
  { forwarded: "for=127.0.0.1" },
  { "x-real-ip": "127.0.0.1" },
];

let trusting: TestClaviger;
let careful: TestClaviger;
let issued = 0;
beforeAll(async () => {
  trusting = await startClaviger({ env: { TRUSTED_PROXIES: "127.0.0.1,192.0.2.0/24,2001:db8::/32" } });
  careful = await startClaviger({ env: { TRUSTED_PROXIES: "192.0.2.0/24" } });
});
afterAll(() => Promise.all([trusting, careful].map((each) => each[Symbol.asyncDispose]())));

/** What the access log and the audit log say of where a request came from. */
async function addressesOf(server: TestClaviger, headers: Record<string, string>): Promise<unknown[]> {
  const { key } = await server.issueKey(`auditor-${++issued}`, ["superadmin"]);
  const body = { name: `another-${issued}`, permissions: ["gateway"] };
  const made = await server.call({
    method: "POST",
    path: "/api/v1/keys",
    headers: { authorization: `Bearer ${key}`, ...headers },
    body,
  });
  expect(made.status).toBe(201);
  const id = String(made.headers["x-request-id"]);
  const line = server
    .logged()
    .split("\n")
    .find((text) => text.includes(`"${id}"`));
  const { json } = await server.control({ path: "/api/v1/audit?limit=1000" });
  const rows: { request_id: string; address: string }[] = Object(json).data;
  return [JSON.parse(line ?? "{}").address, rows.find(({ request_id }) => request_id === id)?.address];
}

test.each(FORWARDING)("[A7] nobody is local through a trusted proxy either: %j", async (headers) => {
  expect((await trusting.call({ path: MODELS })).status).toBe(200);
  expect((await trusting.call({ path: MODELS, headers })).status).toBe(401);
  expect((await logIn(trusting, { password: "123456" }, headers)).status).toBe(401);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["198.51.100.1, 203.0.113.9", "203.0.113.9"],
  ["198.51.100.1, 203.0.113.9, 192.0.2.7, 2001:db8::1", "203.0.113.9"],
  ["[2001:db9::5]:4711", "2001:db9:0:0:0:0:0:5"],
  ["203.0.113.9, unknown", "127.0.0.1"],
])("[A7] logs bear the rightmost address that is no trusted proxy's: of %s it is %s", async (forwarded, address) => {
  expect(await addressesOf(trusting, { "x-forwarded-for": forwarded })).toEqual([address, address]);
});

test("[A7] what a peer forwards that is no trusted proxy, and what is not X-Forwarded-For, is no address", async () => {
  expect(await addressesOf(careful, { "x-forwarded-for": "192.0.2.7" })).toEqual(["127.0.0.1", "127.0.0.1"]);
  const others = {
    forwarded: "for=203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "cf-connecting-ip": "203.0.113.9",
  };
  expect(await addressesOf(trusting, others)).toEqual(["127.0.0.1", "127.0.0.1"]);
});

test("[A7] the host that a trusted proxy forwards counts for nothing", async () => {
  const headers = { host: "rebound.example", "x-forwarded-host": "localhost" };
  expect((await trusting.call({ path: "/health", headers })).status).toBe(421);
  const turned = { host: "localhost", "x-forwarded-host": "rebound.example" };
  expect((await trusting.call({ path: "/health", headers: turned })).status).toBe(200);
});

import { expect, test } from "vitest";
import { generateApiKey, publicHash } from "#identity/keys/index.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { type Call, send } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, withCookie } from "#test/people/person.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { rowsWhen } from "./bench.ts";
import { ask, publish, startApiBench } from "./http-api-bench.ts";

const THINGS = "/x/things/a";
const PAGE = "https://page.example";

test("[G11] [U3] the session of a superadmin is no credential on /x, alone or beside a key, and never goes upstream", async () => {
  await using bench = await startApiBench();
  const own = await firstPerson(bench.claviger);
  const cookie = withCookie(own.cookie);
  expect(await own.status({ path: "/api/v1/keys" })).toBe(200);
  // Who needs no key here is nobody with a session, too.
  expect((await bench.claviger.call({ path: THINGS, headers: cookie })).status).toBe(200);
  expect((await ask(bench, THINGS, { headers: cookie })).status).toBe(200);
  const wrong = { ...cookie, authorization: "Bearer nobody's" };
  expect((await bench.claviger.call({ path: THINGS, headers: wrong })).status).toBe(401);
  const rows = await rowsWhen(bench.claviger, 2);
  expect(rows.map(({ principal }) => principal)).toEqual([bench.id, "anonymous"]);
  expect(bench.api.arrivals).toHaveLength(2);
  for (const { rawHeaders } of bench.api.arrivals) {
    expect(rawHeaders.map((text) => text.toLowerCase())).not.toContain("cookie");
    expect(rawHeaders.join("\n")).not.toContain(own.cookie);
  }
});

test("[G11] [U3] where a key is demanded a session on /x is 401, however it is presented, and nothing goes out", async () => {
  await using bench = await startApiBench({ server: { env: { REQUIRE_API_KEY: "true" } } });
  const own = await firstPerson(bench.claviger);
  for (const headers of [
    withCookie(own.cookie),
    { cookie: `a=b; claviger_session=${own.cookie}` },
    { authorization: `Bearer ${own.cookie}` },
    { "x-api-key": own.cookie },
  ])
    expect((await bench.claviger.call({ path: THINGS, headers })).status).toBe(401);
  expect(bench.api.arrivals).toHaveLength(0);
});

test("[G11] an identity of the file reaches an API by the listeners that name it, and by no other", async () => {
  const { key } = generateApiKey(systemRandom);
  const credential = { api_key: publicHash(key) };
  const listener = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0" };
  const resources = {
    shop: { resource_type: "Identity", credential, permissions: "gateway" },
    named: { ...listener, auth: ["shop"] },
    other: { ...listener, auth: ["keys"] },
  };
  await using bench = await startApiBench({ server: { listen: [], yaml: JSON.stringify({ resources }) } });
  const headers = { authorization: `Bearer ${key.expose()}` };
  const statuses = [];
  for (const { hostname: host, port } of bench.claviger.app.urls.map((url) => new URL(url)))
    statuses.push((await send({ host, port }, { path: THINGS, headers })).status);
  expect(statuses.toSorted()).toEqual([200, 401]);
  expect((await rowsWhen(bench.claviger, 1)).map(({ principal }) => principal)).toEqual(["shop"]);
});

test("[G11] [I14] the limits of a key hold on /x: 429 with retry-after, and nothing goes out", async () => {
  await using bench = await startApiBench({ server: { clock: new FakeClock() } });
  const { key } = await bench.claviger.issueKey("limited", ["gateway"], { requests_per_minute: 2 });
  const answers = [];
  for (let asked = 0; asked < 3; asked++) answers.push(await ask({ ...bench, key }, THINGS));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers[2]?.headers["retry-after"]).toBe("30");
  expect(bench.api.arrivals).toHaveLength(2);
});

test("[G11] [E1] an API whose name leads to an address that is denied is not asked, nor published", async () => {
  let address = "127.0.0.1";
  const lookup = async () => [address];
  // Names are looked up by each thread itself: one whose answer the test changes.
  await using bench = await startApiBench({ server: { workers: 1, egress: { lookup } } });
  const baseUrl = bench.api.baseUrl.replace("127.0.0.1", "api.example");
  await publish(bench.claviger, "named", baseUrl);
  // A connection that goes on would need no address.
  bench.api.handle((response) => void response.writeHead(200, { connection: "close" }).end());
  expect((await ask(bench, "/x/named/a")).status).toBe(200);
  address = "169.254.169.254";
  await expect(publish(bench.claviger, "other", baseUrl)).rejects.toThrow("base_url_denied");
  const refused = await ask(bench, "/x/named/a");
  expect([refused.status, JSON.parse(refused.body.toString())]).toMatchObject([
    502,
    { error: { code: "egress_denied" } },
  ]);
  expect(bench.api.arrivals).toHaveLength(1);
});

test("[G11] every answer of the gateway bears the sandbox and nosniff, those of models too, refused, locked and unknown ones", async () => {
  await using bench = await startApiBench({
    server: { yaml: `settings:\n  allowed_origins: ["${PAGE}"]\n` },
  });
  await using upstream = await startUpstream();
  await bench.claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [] };
  const chat = { method: "POST", path: "/v1/chat/completions", body };
  const asked = { origin: PAGE, "access-control-request-method": "POST" };
  const calls: readonly (readonly [Call, number])[] = [
    [{ method: "OPTIONS", path: "/v1/models", headers: asked }, 204],
    [{ method: "OPTIONS", path: THINGS, headers: asked }, 204],
    [chat, 200],
    [{ ...chat, body: { ...body, stream: true } }, 200],
    [{ ...chat, body: { ...body, model: "none/none" } }, 404],
    [{ ...chat, body: "{" }, 400],
    [{ path: "/v1/models" }, 200],
    [{ path: "/v1/nothing" }, 404],
    [{ path: "/v1beta/models/nothing" }, 404],
    [{ path: "/x/nothing" }, 404],
    [{ path: "/v1/models", headers: { authorization: "Bearer nobody's" } }, 401],
    [{ path: "/v1/models", headers: { host: "rebound.example" } }, 421],
    [{ path: "/v1/models", headers: { origin: "https://evil.example" } }, 403],
  ];
  const expectClosed = async (call: Call, status: number) => {
    const { headers, ...answer } = await bench.claviger.call(call);
    expect(
      [answer.status, headers["content-security-policy"], headers["x-content-type-options"]],
      call.path,
    ).toEqual([status, "sandbox; default-src 'none'", "nosniff"]);
  };
  for (const [call, status] of calls) await expectClosed(call, status);
  void bench.claviger.app.seal.close();
  for (const path of ["/v1/models", "/v1beta/models", THINGS]) await expectClosed({ path }, 503);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { generateApiKey } from "#identity/keys/index.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { openRaw, openWithoutBody, rawRequest, sendRaw, statusOf } from "./raw.ts";

const NAMES_IN_URL = ["api_key", "api-key", "apikey", "x-api-key", "key", "access_token", "token"];
const WELL_FORMED = generateApiKey(seededRandom(11)).key.expose();

const clock = new FakeClock();
let claviger: TestClaviger;
let key: string;
let admin: string;
let revoked: string;
beforeAll(async () => {
  claviger = await startClaviger({ clock });
  ({ key } = await claviger.issueKey("app"));
  admin = (await claviger.issueKey("admin", ["superadmin"])).key;
  const gone = await claviger.issueKey("gone");
  revoked = gone.key;
  await claviger.control({ method: "DELETE", path: `/api/v1/keys/${gone.id}` });
});
afterAll(() => claviger[Symbol.asyncDispose]());
// All wrong credentials of these tests come from one address.
beforeEach(() => clock.advance(60_000));

const models = (headers: Record<string, string>, query = "") =>
  claviger.call({ path: `/v1/models${query}`, headers });

describe("presenting a credential", () => {
  test.each(["Bearer", "bearer", "BEARER", "bEaReR"])("[A2] Authorization: %s is taken", async (scheme) => {
    expect((await models({ authorization: `${scheme} ${key}` })).status).toBe(200);
  });

  test.each([
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "X-API-Key",
  ])("[A2] %s is taken on gateway routes, and on no other", async (name) => {
    expect((await models({ [name]: key })).status).toBe(200);
    expect((await models({ [name]: "wrong" })).status).toBe(401);
    expect((await claviger.call({ path: "/api/v1/keys", headers: { [name]: admin } })).status).toBe(401);
  });

  test.each([
    ["Basic"],
    ["Token"],
    ["Bearer:"],
    ["sk"],
  ])("[A2] the scheme %s opens nothing", async (scheme) => {
    expect((await models({ authorization: `${scheme} ${key}` })).status).toBe(401);
  });

  test("[A2] a bare key without a scheme opens nothing", async () => {
    expect((await models({ authorization: key })).status).toBe(401);
  });

  test("[A2] two that differ are a 400, twice the same is one", async () => {
    const answer = await models({ authorization: `Bearer ${key}`, "x-api-key": admin });
    expect(answer).toMatchObject({ status: 400, json: { error: { code: "credential_conflict" } } });
    expect((await models({ "api-key": key, "x-api-key": "wrong" })).status).toBe(400);
    expect((await models({ authorization: `Bearer ${key}`, "x-api-key": key })).status).toBe(200);
  });

  test.each(NAMES_IN_URL)("[A2] ?%s= is a 400 beside a credential and a 401 without", async (name) => {
    const escaped = [...name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("");
    for (const spelled of [name, name.toUpperCase(), escaped, escaped.replaceAll("%", "%25")]) {
      const query = `?limit=1&${spelled}=${spelled === name ? "whatever" : key}`;
      expect((await models({ authorization: `Bearer ${key}` }, query)).status, spelled).toBe(400);
      // Local callers may be anonymous here: not those who put a credential where it is logged by others.
      expect((await models({}, query)).status, spelled).toBe(401);
      expect((await claviger.call({ path: `/api/v1/keys${query}` })).status, spelled).toBe(401);
    }
  });

  test("[A2] on /x/ the names belong to the upstream: only a key of ours is refused there", async () => {
    const ask = async (query: string) =>
      (await claviger.call({ path: `/x/search?${query}`, headers: { authorization: `Bearer ${key}` } }))
        .status;
    expect(await ask("key=theirs")).toBe(404);
    expect(await ask(`key=${key}`)).toBe(400);
    expect(await ask(`API_KEY=${encodeURIComponent(key).replaceAll("-", "%252d")}`)).toBe(400);
  });

  test("[A2] [W2] no query and no credential reaches the log", () => {
    const logged = claviger.logged();
    expect(logged).toContain('"route":"/v1/models"');
    for (const text of [key, admin, "limit=1", "?", "api_key"]) expect(logged).not.toContain(text);
  });
});

describe("refusing a credential", () => {
  const refused = (): [string, Record<string, string>][] => [
    ["missing", {}],
    ["missing", { authorization: "Bearer " }],
    ["malformed", { authorization: "Bearer sk-nothing" }],
    ["malformed", { authorization: `Bearer ${key.slice(0, -1)}` }],
    ["malformed", { authorization: `Bearer ${"k".repeat(9000)}` }],
    ["malformed", { authorization: `Basic ${key}` }],
    ["unknown", { authorization: `Bearer ${WELL_FORMED}` }],
    ["revoked", { authorization: `Bearer ${revoked}` }],
  ];

  test("[A3] missing, malformed, unknown and revoked are told apart by nobody but the log", async () => {
    for (const path of ["/api/v1/keys", "/v1beta/models", "/api/v1/nothing"]) {
      // A forwarding header: none of them may pass as anonymous.
      const answers = new Set<string>();
      for (const [index, [, headers]] of refused().entries()) {
        const id = `same-${index}`;
        const answer = await claviger.call({
          path,
          headers: { ...headers, via: "1.1 p", "x-request-id": id },
        });
        expect(answer.status).toBe(401);
        const { date: _date, ...fixed } = answer.headers;
        answers.add(JSON.stringify([fixed, answer.text]).replaceAll(id, "ID"));
      }
      expect([...answers], path).toHaveLength(1);
    }
    expect((await claviger.call({ path: "/api/v1/keys" })).headers["www-authenticate"]).toBe(
      'Bearer realm="claviger", error="invalid_token"',
    );
  });

  test("[A3] [W2] the access log says why each was refused", async () => {
    for (const [index, [, headers]] of refused().entries())
      await claviger.call({ path: "/api/v1/keys", headers: { ...headers, "x-request-id": `why-${index}` } });
    for (const [index, [reason]] of refused().entries()) {
      const line =
        claviger
          .logged()
          .split("\n")
          .find((text) => text.includes(`"why-${index}"`)) ?? "{}";
      expect(JSON.parse(line)).toMatchObject({
        status: 401,
        reason,
        code: "invalid_token",
        route: "/api/v1/keys",
      });
    }
  });

  test("[A3] a valid principal without the permission is 403, in the shape of the route", async () => {
    const authorization = `Bearer ${key}`;
    expect(await claviger.call({ path: "/api/v1/keys", headers: { authorization } })).toMatchObject({
      status: 403,
      json: { code: "forbidden" },
    });
    const { key: viewer } = await claviger.issueKey("viewer", ["viewer"]);
    const body = { model: "sim/m", messages: [] };
    const call = { method: "POST", path: "/v1/chat/completions", body };
    expect([403, 404]).toContain(
      (await claviger.call({ ...call, headers: { authorization: `Bearer ${viewer}` } })).status,
    );
  });
});

describe("anonymous callers", () => {
  test("[I6] [A11] a local program without a key may use the gateway, and only that", async () => {
    expect((await models({})).status).toBe(200);
    expect((await models({ authorization: "Bearer anonymous" })).status).toBe(200);
    for (const { method, path, contract } of claviger.app.routes()) {
      if (contract?.family !== "api" || contract.action === "open") continue;
      expect((await claviger.call({ method, path })).status, path).toBe(401);
      const headers = { authorization: "Bearer anonymous" };
      expect((await claviger.call({ method, path, headers })).status, path).toBe(401);
    }
  });

  test.each([
    ["authorization", `Bearer ${WELL_FORMED}`],
    ["authorization", "Bearer Anonymous"],
    ["authorization", "anonymous"],
    ["x-api-key", "anonymous"],
    ["x-api-key", "not-needed"],
    ["x-goog-api-key", ""],
  ])("[A11] whoever presents something is judged by it: %s: %s", async (name, value) => {
    expect((await models({ [name]: value })).status).toBe(401);
  });

  test.each([
    "X-Forwarded-For: 127.0.0.1",
    "x-forwarded-for: ::1",
    "X-Forwarded-Host: localhost",
    "X-Forwarded-Anything: 1",
    "Forwarded: for=127.0.0.1",
    "X-Real-IP: 127.0.0.1",
    "Via: 1.1 proxy",
    "CF-Connecting-IP: 127.0.0.1",
    "True-Client-IP: 127.0.0.1",
  ])("[I6] [A7] through a proxy nobody is anonymous: %s", async (line) => {
    expect(statusOf(await sendRaw(claviger.url, rawRequest("GET /v1/models HTTP/1.1", [line])))).toBe(401);
  });

  test("[A7] a forwarding header cannot be hidden behind thousands of others", async () => {
    const lines = [...Array.from({ length: 3000 }, () => "a:"), "X-Forwarded-For: 192.0.2.1"];
    expect(statusOf(await sendRaw(claviger.url, rawRequest("GET /v1/models HTTP/1.1", lines)))).toBe(401);
  });

  test("[A7] X-Forwarded-For is not believed: the log bears the peer's address", async () => {
    await claviger.call({
      path: "/health",
      headers: { "x-forwarded-for": "192.0.2.77", "x-request-id": "xff" },
    });
    const line =
      claviger
        .logged()
        .split("\n")
        .find((text) => text.includes('"xff"')) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ address: "127.0.0.1" });
    expect(claviger.logged()).not.toContain("192.0.2.77");
  });

  test("[I6] a listener beyond loopback lets nobody in without a key, not even this machine", async () => {
    await using wide = await startClaviger({
      listen: ["0.0.0.0:0"],
      yaml: "settings:\n  allow_plain_http: true\n",
    });
    const url = wide.url.replace("0.0.0.0", "127.0.0.1");
    const ask = (...lines: string[]) => sendRaw(url, rawRequest("GET /v1/models HTTP/1.1", lines));
    expect(statusOf(await ask("Host: localhost"))).toBe(401);
    const { key: issued } = await wide.issueKey("app");
    expect(statusOf(await ask(`Authorization: Bearer ${issued}`))).toBe(200);
  });

  test("[I6] REQUIRE_API_KEY removes the anonymous", async () => {
    await using strict = await startClaviger({ env: { REQUIRE_API_KEY: "true" } });
    for (const path of ["/v1/models", "/v1/models/x", "/v1beta/models", "/x/a"])
      expect((await strict.call({ path })).status, path).toBe(401);
    const headers = { authorization: "Bearer anonymous" };
    expect((await strict.call({ path: "/v1/models", headers })).status).toBe(401);
  });
});

describe("revoking", () => {
  test("[I11] [A3] a key is refused on the next request, on a connection that is open already too", async () => {
    const { id, key: mine } = await claviger.issueKey("short-lived");
    const authorization = `Bearer ${mine}`;
    await using connection = openRaw(claviger.url);
    const request = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;
    connection.socket.write(request);
    await connection.until(/HTTP\/1\.1 200 /);
    expect((await claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` })).status).toBe(204);
    expect((await models({ authorization })).status).toBe(401);
    connection.socket.write(request);
    await connection.until(/HTTP\/1\.1 401 /);
  });

  test("[I11] a key revoked while its request still arrives does nothing", async () => {
    const { id, key: mine } = await claviger.issueKey("in-flight", ["superadmin"]);
    const body = JSON.stringify({ name: "afterwards", permissions: [] });
    await using connection = await openWithoutBody(`${claviger.url}/api/v1/keys`, mine, body.length);
    await claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` });
    connection.socket.write(body);
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 401 /);
    expect((await claviger.control({ path: "/api/v1/keys" })).text).not.toContain("afterwards");
  });
});

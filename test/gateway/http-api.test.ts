import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { type ApiBench, answerOk, ask, publish, startApiBench } from "./http-api-bench.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const last = () => {
  const arrived = bench.api.arrivals.at(-1);
  if (arrived === undefined) throw new Error("nothing has arrived");
  return arrived;
};

describe("the path", () => {
  test.each([
    ["/x/things", "/base"],
    ["/x/things/", "/base/"],
    ["/x/things/a/b%2Fc%20d", "/base/a/b%2Fc%20d"],
    ["/x/things/%E2%82%AC/%e2%82%ac", "/base/%E2%82%AC/%e2%82%ac"],
    ["/x/things//double//", "/base//double//"],
    ["/x/things/a;b=c/..d/e../...", "/base/a;b=c/..d/e../..."],
    ["/x/things/\"<>{}|^`\\~!$&'()*+,=:@", "/base/\"<>{}|^`\\~!$&'()*+,=:@"],
    ["/x/things/a?", "/base/a?"],
    ["/x/things?q=1", "/base?q=1"],
    [
      '/x/things/a?b=%2e%2e/../&c=d+e%20f&&=&key=theirs&x=[1]|{2}"<>',
      '/base/a?b=%2e%2e/../&c=d+e%20f&&=&key=theirs&x=[1]|{2}"<>',
    ],
    ["/x/things/a?b?c=/x/things", "/base/a?b?c=/x/things"],
  ])("[G11] %s goes to %s, every byte as it was sent", async (path, target) => {
    expect((await ask(bench, path)).status).toBe(200);
    expect(last().target).toBe(target);
  });

  test.each([
    "/x/things/..",
    "/x/things/.",
    "/x/things/a/../b",
    "/x/things/a/./b",
    "/x/things/%2e%2e/a",
    "/x/things/%2E./a",
    "/x/things/.%2e",
    "/x/things/%252e%252e/a",
    "/x/things/%25252e%25252e/a",
    "/x/things/%2525252e%2525252e/a",
    "/x/things/a%2f..%2fb",
    "/x/things/..%2fb",
    "/x/things/..%5cb",
    "/x/things/a\\..\\b",
    "/x/things/..;/b",
    "/x/things/..;a=b/c",
    "/x/things/..%3b/b",
    "/x/things/..%00/b",
    "/x/things/a%00",
    "/x/things/a%0d%0ab",
    "/x/things/..%20/b",
    "/x/things/.%09./b",
    "/x/things/%c0%ae%c0%ae/b",
    "/x/things/%e0%80%ae%e0%80%ae/b",
    "/x/things/%u002e%u002e/b",
    "/x/things/..%3fa/b",
    "/x/things/../../api/v1/keys",
    "/x/things/a#b",
  ])("[G11] %s could be read as climbing: 400, and nothing goes out", async (path) => {
    const before = bench.api.arrivals.length;
    const answer = await ask(bench, path);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: "bad_request" } });
    expect(bench.api.arrivals).toHaveLength(before);
  });

  test.each([
    "/x",
    "/x/",
    "/x/nothing",
    "/x/nothing/../things",
    "/x//things",
    "/X/things",
    "//x/things",
    "/x/%74hings",
    "/x/things%2fa",
    "/x/things;a",
    "/x/things\\a",
    "/x/THINGS",
    "/x/../x/things",
  ])("[G11] [A3] %s names no API: 404", async (path) => {
    const before = bench.api.arrivals.length;
    expect((await ask(bench, path)).status).toBe(404);
    expect(bench.api.arrivals).toHaveLength(before);
  });

  test("[G11] a base URL without a path adds none", async () => {
    await publish(bench.claviger, "bare", new URL(bench.api.baseUrl).origin);
    for (const [path, target] of [
      ["/x/bare", "/"],
      ["/x/bare/", "/"],
      ["/x/bare/a", "/a"],
      ["/x/bare?q", "/?q"],
    ]) {
      expect((await ask(bench, path ?? "")).status).toBe(200);
      expect(last().target).toBe(target);
    }
  });
});

describe("what a provider publishes", () => {
  test("[G11] another method than the provider's is 405 and told which are allowed", async () => {
    const options = { methods: ["GET", "PUT"] };
    await publish(bench.claviger, "narrow", bench.api.baseUrl, { options });
    const before = bench.api.arrivals.length;
    for (const method of ["POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
      const answer = await ask(bench, "/x/narrow/a", { method });
      expect([answer.status, answer.headers.allow], method).toEqual([405, "GET, PUT"]);
    }
    expect(bench.api.arrivals).toHaveLength(before);
    expect((await ask(bench, "/x/narrow/a", { method: "PUT", body: "b" })).status).toBe(200);
    expect(last().method).toBe("PUT");
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      expect((await ask(bench, "/x/things/a", { method })).status, method).toBe(200);
      expect(last().method).toBe(method);
    }
    expect((await ask(bench, "/x/things/a", { method: "OPTIONS" })).status).toBe(405);
  });

  test("[G11] a path outside the provider's prefixes does not exist", async () => {
    const options = { path_prefixes: ["/public", "/v1/"] };
    await publish(bench.claviger, "part", bench.api.baseUrl, { options });
    const before = bench.api.arrivals.length;
    for (const rest of [
      "",
      "/",
      "/publicity",
      "/PUBLIC",
      "/%70ublic",
      "/v1",
      "/private",
      "//public",
      "/x/public",
      "/public;a",
      "/public%2f",
    ])
      expect((await ask(bench, `/x/part${rest}`)).status, rest).toBe(404);
    expect(bench.api.arrivals).toHaveLength(before);
    for (const rest of ["/public", "/public/", "/public/a", "/public?q", "/v1/", "/v1/a"])
      expect((await ask(bench, `/x/part${rest}`)).status, rest).toBe(200);
    expect(bench.api.arrivals).toHaveLength(before + 6);
  });

  test("[G11] [G12] the credential goes where the provider wants it, and extra headers with it", async () => {
    const credential = seededRandom(3).bytes(12).toString("hex");
    const options = {
      credential_header: { name: "X-Subscription-Token", prefix: "Token " },
      extra_headers: { "x-version": "7", "user-agent": "claviger" },
    };
    await publish(bench.claviger, "search", bench.api.baseUrl, { credential, options });
    const headers = {
      "x-subscription-token": "mine",
      x_subscription_token: "mine too",
      "x-version": "1",
      "user-agent": "me",
    };
    expect((await ask(bench, "/x/search/a", { headers })).status).toBe(200);
    expect(last().header("x-subscription-token")).toBe(`Token ${credential}`);
    expect(last().header("x-version")).toBe("7");
    expect(last().header("user-agent")).toBe("claviger");
    expect(last().header("authorization")).toBeUndefined();
    expect(last().rawHeaders.join("\n")).not.toContain("mine");
    expect((await ask(bench, "/x/things/a")).status).toBe(200);
    expect(last().header("authorization")).toBe(`Bearer ${bench.credential}`);
  });

  test("[I2] x/NAME is what patterns of gateway.use match; what may not be used does not exist", async () => {
    const before = bench.api.arrivals.length;
    const { key } = await bench.claviger.issueKey("reader", ["viewer"]);
    expect((await ask({ ...bench, key }, "/x/things/a")).status).toBe(403);
    expect((await ask({ ...bench, key }, "/x/nothing/a")).status).toBe(403);
    expect(bench.api.arrivals).toHaveLength(before);
  });

  test("[G11] the models of no list are those of an API, and no model names one", async () => {
    const { text } = await bench.claviger.call({
      path: "/v1/models",
      headers: { authorization: `Bearer ${bench.key}` },
    });
    expect(JSON.parse(text)).toMatchObject({ data: [] });
    const before = bench.api.arrivals.length;
    const body = { model: "things/a", messages: [] };
    const chat = {
      method: "POST",
      path: "/v1/chat/completions",
      body,
      headers: { authorization: `Bearer ${bench.key}` },
    };
    expect((await bench.claviger.call(chat)).status).toBe(404);
    expect(bench.api.arrivals).toHaveLength(before);
  });
});

test("an API that was removed is gone at once", async () => {
  await publish(bench.claviger, "brief", bench.api.baseUrl);
  bench.api.handle(answerOk);
  expect((await ask(bench, "/x/brief")).status).toBe(200);
  await bench.claviger.control({ method: "DELETE", path: "/api/v1/providers/brief" });
  expect((await ask(bench, "/x/brief")).status).toBe(404);
});

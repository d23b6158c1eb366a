import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw, statusOf } from "#test/gates/raw.ts";
import { type ApiBench, answerOk, ask, startApiBench } from "./http-api-bench.ts";

const PAGE = "https://page.example";

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench({ server: { yaml: `settings:\n  allowed_origins: ["${PAGE}"]\n` } });
});
afterAll(() => bench[Symbol.asyncDispose]());

const last = () => {
  const arrived = bench.api.arrivals.at(-1);
  if (arrived === undefined) throw new Error("nothing has arrived");
  return arrived;
};
/** The names of the headers that arrived, and everything in them as one text. */
const sent = async (headers: Record<string, string | string[]>, path = "/x/things/a") => {
  bench.api.handle(answerOk);
  expect((await ask(bench, path, { headers })).status).toBe(200);
  const { rawHeaders } = last();
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return { names, text: rawHeaders.join("\n") };
};
const answered = (
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Buffer = "",
  path = "/x/things/a",
  more: Parameters<typeof ask>[2] = {},
) => {
  bench.api.handle((response) => void response.writeHead(status, headers).end(body));
  return ask(bench, path, more);
};

describe("the request's headers", () => {
  test("[G11] what an API may want passes, repeated ones too", async () => {
    const headers = {
      accept: "text/csv",
      "user-agent": "curl/8",
      "if-match": '"a"',
      "x-custom": ["one", "two"],
      "content-language": "de",
      dnt: "1",
      prefer: "wait=5",
      "x-latin": "caf\u00e9",
    };
    const { text } = await sent(headers);
    for (const [name, value] of Object.entries(headers))
      for (const one of [value].flat()) expect(text).toContain(`${name}\n${one}`);
  });

  test("[G3] [G11] no credential, cookie, forwarding or browser header goes upstream, in any spelling", async () => {
    const own = {
      "X-API-Key": bench.key,
      "api-key": bench.key,
      "x-goog-api-key": bench.key,
      cookie: "claviger_session=abc",
      cookie2: "abc",
      "proxy-authorization": "Basic abc",
      "proxy-connection": "close",
      "x-forwarded-for": "10.1.1.1",
      "x-forwarded-anything": "10.1.1.2",
      "x-real-ip": "10.1.1.3",
      forwarded: "for=10.1.1.4",
      via: "1.1 proxy",
      origin: PAGE,
      referer: `${PAGE}/secret`,
      "sec-fetch-mode": "cors",
      "sec-ch-ua": "browser",
      "x-http-method-override": "DELETE",
      "x-original-url": "/admin",
      "x-rewrite-url": "/admin",
      x_api_key: "underscored",
      x_forwarded_for: "10.1.1.5",
      te: "trailers",
      upgrade: "h2c",
      "http2-settings": "AAMAAABk",
      "keep-alive": "timeout=5",
      connection: "close, x-hop",
      "x-hop": "this hop only",
      "accept-encoding": "gzip, br",
      expect: "100-continue",
    };
    const { names, text } = await sent(own);
    const allowed = ["host", "connection", "accept-encoding", "authorization"];
    expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(last().header("authorization")).toBe(`Bearer ${bench.credential}`);
    expect(last().header("host")).toBe(new URL(bench.api.baseUrl).host);
    expect(last().header("accept-encoding")).toBe("identity");
    expect(last().header("connection")).not.toContain("hop");
    for (const part of [bench.key, "10.1.1", "abc", "secret", "underscored", "this hop"])
      expect(text).not.toContain(part);
  });

  test("[G3] a header that repeats the client's own key is left out, however it is coded", async () => {
    const { key } = bench;
    const { names } = await sent({
      "x-plain": `see ${key}!`,
      "x-base64": Buffer.from(`user:${key}`).toString("base64"),
      "x-hex": Buffer.from(key).toString("hex"),
      "x-kept": key.slice(0, 12),
    });
    expect(names).toContain("x-kept");
    for (const name of ["x-plain", "x-base64", "x-hex"]) expect(names).not.toContain(name);
  });

  test("[A2] a key of ours in the query is 400, 401 without another; what the API calls a key passes", async () => {
    const before = bench.api.arrivals.length;
    const { key } = bench;
    const slow = key.replaceAll("-", "%252d");
    for (const query of [
      `key=${key}`,
      `q=${key}`,
      `a=b&x[]=${slow}`,
      `q=+${key}`,
      "q=sk-claviger-anything",
    ]) {
      const answer = await ask(bench, `/x/things/a?${query}`);
      expect([answer.status, JSON.parse(answer.body.toString()).error.code], query).toEqual([
        400,
        "credential_in_url",
      ]);
      expect((await bench.claviger.call({ path: `/x/things/a?${query}` })).status, query).toBe(401);
    }
    // The very key of the caller also where it does not begin a value.
    for (const url of [
      `/x/things/${key}`,
      `/x/things/a?q=is%20${key}`,
      `/x/things/a?${Buffer.from(key).toString("hex")}`,
    ])
      expect((await ask(bench, url)).status, url).toBe(400);
    expect(bench.api.arrivals).toHaveLength(before);
    bench.api.handle(answerOk);
    expect(
      (await ask(bench, "/x/things/a?key=theirs&access_token=theirs&q=a sk-claviger-".replace(" ", "%20")))
        .status,
    ).toBe(200);
  });

  test("[G11] a session cookie is no credential on /x", async () => {
    await using strict = await startApiBench({ server: { env: { REQUIRE_API_KEY: "true" } } });
    const headers = { cookie: "claviger_session=eyJhbGciOiJIUzI1NiJ9.e30.x" };
    expect((await strict.claviger.call({ path: "/x/things/a", headers })).status).toBe(401);
    expect(strict.api.arrivals).toHaveLength(0);
  });

  test("[G11] WebSocket is refused in words; any other upgrade is passed over", async () => {
    const before = bench.api.arrivals.length;
    const upgrade = (protocol: string) =>
      sendRaw(
        bench.claviger.url,
        `GET /x/things/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${bench.key}\r\n` +
          `Connection: Upgrade, close\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    const refused = await upgrade("WebSocket");
    expect(statusOf(refused)).toBe(501);
    expect(refused).toContain('"code":"upgrade_not_supported"');
    expect(bench.api.arrivals).toHaveLength(before);
    bench.api.handle(answerOk);
    expect(statusOf(await upgrade("h2c"))).toBe(200);
  });
});

describe("the answer's headers", () => {
  test("[G11] a hostile page can set, clear, frame, fetch and report nothing for this origin", async () => {
    const hostile: Record<string, string | string[]> = {
      "content-type": "text/html",
      "set-cookie": ["claviger_session=theirs; Path=/", "b=c"],
      "clear-site-data": '"*"',
      "service-worker-allowed": "/",
      "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
      "content-security-policy": "default-src * 'unsafe-inline'",
      "content-security-policy-report-only": "default-src *; report-uri https://evil.example",
      "access-control-allow-origin": "*",
      "access-control-allow-credentials": "true",
      "x-content-type-options": "none",
      "alt-svc": 'h3="evil.example:443"',
      refresh: "0; url=https://evil.example",
      "report-to": "{}",
      nel: "{}",
      "reporting-endpoints": 'a="https://evil.example"',
      "speculation-rules": '"/rules.json"',
      "permissions-policy": "camera=*",
      "cross-origin-opener-policy": "unsafe-none",
      "origin-agent-cluster": "?0",
      "x-accel-redirect": "/internal/secret",
      "x-sendfile": "/etc/passwd",
      "www-authenticate": 'Basic realm="upstream"',
      "proxy-authenticate": "Basic",
      "x-claviger-locked": "true",
      "x-request-id": "theirs",
      server: "nginx/1.2",
      "x-powered-by": "PHP",
      via: "1.1 inside.example",
      connection: "close, x-hop",
      "x-hop": "1",
      "keep-alive": "timeout=9",
      "cache-control": "max-age=5",
      etag: '"e"',
      "x-their-own": "kept",
    };
    const answer = await answered(200, hostile, "<script>fetch('/api/v1/keys')</script>");
    expect(answer.headers).toEqual({
      "content-type": "text/html",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "max-age=5",
      etag: '"e"',
      "x-their-own": "kept",
      vary: "origin",
      "x-claviger-target": "x/things",
      "x-request-id": expect.stringMatching(/^req_/),
      date: expect.any(String),
      connection: expect.any(String),
      "transfer-encoding": "chunked",
    });
    expect(answer.body.toString()).toContain("<script>");
  });

  test("[G11] every answer bears the sandbox and nosniff: errors of ours and of the API, HEAD, 304", async () => {
    const answers = [
      await answered(500, {}, "broken"),
      await answered(304, {}, "", "/x/things/a", { headers: { "if-none-match": '"a"' } }),
      await answered(200, {}, "", "/x/things/a", { method: "HEAD" }),
      await answered(302, { location: "https://evil.example" }),
      await ask(bench, "/x/nothing"),
      await ask(bench, "/x/things/.."),
      await ask({ ...bench, key: "no" }, "/x/things/a"),
    ];
    expect(answers.map(({ status }) => status)).toEqual([500, 304, 200, 502, 404, 400, 401]);
    for (const { headers } of answers) {
      expect(headers["content-security-policy"]).toBe("sandbox; default-src 'none'");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["x-request-id"]).toMatch(/^req_/);
    }
  });

  test("[E2] a redirect is 502 and its target is not told; a 304 nobody asked for is none either", async () => {
    for (const status of [300, 301, 302, 303, 307, 308, 304]) {
      const answer = await answered(status, { location: "https://elsewhere.example/" });
      expect(answer.status, String(status)).toBe(502);
      expect(answer.headers.location).toBeUndefined();
      expect(answer.body.toString()).not.toContain("elsewhere");
    }
  });

  test("[G11] where a new thing lies is told as the client reaches it, and nothing else is", async () => {
    const { origin } = new URL(bench.api.baseUrl);
    for (const [location, told] of [
      [`${bench.api.baseUrl}/a/1?b=c`, "/x/things/a/1?b=c"],
      ["/base/a/1", "/x/things/a/1"],
      ["1", "/x/things/1"],
      ["/base", "/x/things"],
      ["/elsewhere/1", undefined],
      ["/based/1", undefined],
      [`${origin}1/base/a`, undefined],
      ["https://evil.example/base/a", undefined],
      ["/base/../admin", undefined],
      ["http://", undefined],
    ] as const) {
      const answer = await answered(201, { location }, "", "/x/things/a", { method: "POST" });
      expect([answer.status, answer.headers.location], location).toEqual([201, told]);
    }
  });

  test("[A10] a page of an allowed origin may ask with any method and header, and reads what it got", async () => {
    const asked = {
      origin: PAGE,
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "X-Custom,range,cookie,sec-evil,a b",
    };
    const preflight = await bench.claviger.call({ method: "OPTIONS", path: "/x/things/a", headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": PAGE,
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "x-custom, range",
    });
    const answer = await answered(
      200,
      { vary: "accept", "access-control-allow-origin": "https://evil.example" },
      "ok",
      "/x/things/a",
      { headers: { origin: PAGE } },
    );
    expect(answer.headers["access-control-allow-origin"]).toBe(PAGE);
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    expect(answer.headers["access-control-expose-headers"]).toContain("content-range");
    expect(answer.headers.vary).toBe("accept, origin");
  });

  test("[A10] a page of any other origin gets nothing, with an ambient right no work is done", async () => {
    const before = bench.api.arrivals.length;
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }] as Record<
      string,
      string
    >[])
      expect((await bench.claviger.call({ path: "/x/things/a", headers })).status).toBe(403);
    expect(bench.api.arrivals).toHaveLength(before);
    const answer = await answered(200, {}, "ok", "/x/things/a", {
      headers: { origin: "https://evil.example" },
    });
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, undefined]);
  });
});

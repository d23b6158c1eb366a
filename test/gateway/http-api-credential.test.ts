import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiBench, ask, publish, startApiBench } from "./http-api-bench.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

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

describe("our credential in an answer", () => {
  const spellings = () => {
    const { credential } = bench;
    return [
      credential,
      JSON.stringify(credential).slice(1, -1),
      encodeURIComponent(credential),
      Buffer.from(credential).toString("hex"),
      Buffer.from(`a:${credential}`).toString("base64"),
    ];
  };

  test("[G3] is taken out of headers and errors in every spelling, and the length stays what it was", async () => {
    for (const spelling of spellings()) {
      const body = `before ${spelling} after`;
      const answer = await answered(418, { "x-echo": spelling, "content-length": String(body.length) }, body);
      expect(answer.status).toBe(418);
      expect(answer.headers["x-echo"]).toContain("[redacted]");
      expect(answer.body).toHaveLength(body.length);
      expect(answer.body.toString()).toMatch(/^before .*\*{20,}.* after$/);
      for (const one of spellings().slice(0, 4))
        expect(JSON.stringify(answer.rawHeaders) + answer.body.toString()).not.toContain(one);
    }
  });

  test("[G3] is masked in what succeeded too, wherever the chunks are cut", async () => {
    const { credential } = bench;
    const text = `{"headers":{"Authorization":"Bearer ${credential}"}} up- up-"`;
    for (let at = 1; at < text.length; at++) {
      bench.api.handle((response) => {
        response.writeHead(200, { "content-length": String(text.length) });
        response.write(text.slice(0, at), () => response.end(text.slice(at)));
      });
      const answer = await ask(bench, "/x/things/a");
      expect(answer.body.toString()).toBe(text.replace(credential, "*".repeat(credential.length)));
    }
  });

  test("[G3] an error that hides behind a coding is not passed on; without a credential it is", async () => {
    const packed = gzipSync(bench.credential);
    const answer = await answered(500, { "content-encoding": "gzip" }, packed);
    expect([answer.status, answer.body.includes(packed)]).toEqual([502, false]);
    await publish(bench.claviger, "open", bench.api.baseUrl);
    const passed = await answered(500, { "content-encoding": "gzip" }, packed, "/x/open/a");
    expect([passed.status, passed.body.equals(packed)]).toEqual([500, true]);
  });

  test("[G3] refused by the upstream is 502 and says that repeating does not help; 403 is about the thing asked for", async () => {
    for (const status of [401, 407]) {
      const answer = await answered(status, { "www-authenticate": "Bearer" }, `no ${bench.credential}`);
      expect(answer.status).toBe(502);
      expect(answer.headers["x-should-retry"]).toBe("false");
      expect(answer.headers["www-authenticate"]).toBeUndefined();
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { code: "upstream_credential_rejected" },
      });
      expect(answer.body.toString()).not.toContain(bench.credential);
    }
    const forbidden = await answered(403, { "content-type": "text/plain" }, "not this one");
    expect([forbidden.status, forbidden.body.toString(), forbidden.headers["x-claviger-target"]]).toEqual([
      403,
      "not this one",
      "x/things",
    ]);
  });

  test("[G2] of a pool the next credential is used while one is refused or used up, and a 403 passes none over", async () => {
    const values = ["first-of-the-pool", "second-of-the-pool"];
    const credentials = values.map((value) => ({ type: "api_key", value }));
    const provider = { name: "pool", kind: "http", base_url: bench.api.baseUrl, credentials };
    await bench.claviger.control({ method: "POST", path: "/api/v1/providers", body: provider });
    const used: (string | undefined)[] = [];
    for (const [status, headers] of [
      [403, {}],
      [429, {}],
      [401, { "retry-after": "600" }],
      [200, {}],
    ] as const) {
      await answered(status, headers, "", "/x/pool/a");
      used.push(bench.api.arrivals.at(-1)?.header("authorization"));
    }
    // Of two that cool down, the one that will be the first to have done so.
    expect(used).toEqual([values[0], values[0], values[1], values[0]].map((value) => `Bearer ${value}`));
  });
});

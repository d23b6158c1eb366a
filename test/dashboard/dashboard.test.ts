import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { rawRequest, sendRaw, statusOf } from "#test/gates/raw.ts";
import { addListeners, ask, listenerSpec, open } from "#test/listeners/bench.ts";
import { type BuiltDashboard, MARK, SCRIPT, writeDashboard } from "./fixture.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const PATHS = ["/", "/keys", "/providers/openai", "/providers/a%20name"];

let built: BuiltDashboard;
let claviger: TestClaviger;
beforeAll(async () => {
  built = writeDashboard();
  claviger = await startClaviger({ dashboardDir: built.directory, env: { REQUIRE_API_KEY: "true" } });
});
afterAll(async () => {
  await claviger[Symbol.asyncDispose]();
  built[Symbol.dispose]();
});

function nonceOf({ headers, text }: Answer): string {
  const inPolicy = [...String(headers["content-security-policy"]).matchAll(/'nonce-([^']+)'/g)];
  const nonces = new Set([...inPolicy.map(([, nonce]) => nonce), /nonce="([^"]+)"/.exec(text)?.[1]]);
  expect([nonces.size, inPolicy.length]).toEqual([1, 2]);
  return [...nonces][0] ?? "";
}

describe("pages", () => {
  test.each(PATHS)("[A4] %s is the application, for whoever asks, by HEAD too", async (path) => {
    for (const headers of [{}, HTML]) {
      const answer = await claviger.call({ path, headers });
      expect(answer).toMatchObject({ status: 200, text: expect.stringContaining("the app") });
      const head = await claviger.call({ method: "HEAD", path, headers });
      expect([head.status, head.text]).toEqual([200, ""]);
      expect(head.headers["content-length"]).toBe(answer.headers["content-length"]);
    }
    expect((await claviger.call({ path: `${path}?from=elsewhere`, headers: HTML })).status).toBe(200);
  });

  test("[D1] each answer has a policy that lets nothing in but its own files, and a nonce of 128 bits of its own", async () => {
    const answers = await Promise.all([...PATHS, ...PATHS].map((path) => claviger.call({ path })));
    const nonces = answers.map(nonceOf);
    expect(new Set(nonces).size).toBe(answers.length);
    for (const nonce of nonces) expect(Buffer.from(nonce, "base64")).toHaveLength(16);
    const [first] = answers;
    expect(String(first?.headers["content-security-policy"]).replaceAll(nonces[0] ?? "", "N")).toBe(
      "default-src 'none'; script-src 'self' 'nonce-N'; style-src 'self' 'nonce-N'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(first?.headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": expect.stringContaining("camera=()"),
      "x-request-id": expect.stringMatching(/^req_/),
    });
    expect(first?.text).not.toContain("__CSP_NONCE__");
  });

  test("[A10] a navigation from a page of another origin is not touched", async () => {
    for (const foreign of [
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", cookie: "claviger_session=anything" },
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    ])
      for (const path of PATHS)
        expect((await claviger.call({ path, headers: { ...HTML, ...foreign } })).status, path).toBe(200);
  });

  test("[D1] a path that is nobody's is the application's own page for that, with status 404; a program is told so", async () => {
    const lost = await claviger.call({ path: "/nothing", headers: HTML });
    expect(lost).toMatchObject({ status: 404, text: expect.stringContaining("the app") });
    expect(nonceOf(lost)).not.toBe("");
    for (const [path, headers] of [
      ["/nothing", {}],
      ["/nothing", { accept: "application/json" }],
      ["/nothing", { accept: "text/htmlx, */*" }],
    ] as const)
      expect((await claviger.call({ path, headers })).json).toMatchObject({ code: "not_found", status: 404 });
    expect((await claviger.call({ method: "POST", path: "/", headers: HTML })).json).toMatchObject({
      status: 404,
    });
    // There a stranger learns nothing.
    expect((await claviger.call({ path: "/api/v1/nothing", headers: HTML })).status).toBe(401);
  });
});

describe("files", () => {
  test("[D1] are sent as compressed as the browser takes them, to be kept for good where their name says their content", async () => {
    const get = async (coding?: string) => {
      const headers = coding === undefined ? {} : { "accept-encoding": coding };
      const answer = await open(claviger.url, { path: SCRIPT.path, headers });
      const body = Buffer.concat(await answer.toArray());
      return { ...answer.headers, body, status: answer.statusCode };
    };
    const plain = { status: 200, "content-type": "text/javascript; charset=utf-8", vary: "accept-encoding" };
    for (const coding of [undefined, "identity", "br;q=0, gzip;q=0.0", "zstd"]) {
      const answer = await get(coding);
      expect(answer).toMatchObject({ ...plain, body: Buffer.from(SCRIPT.text) });
      expect(answer["content-encoding"]).toBeUndefined();
      expect(answer["cache-control"]).toBe("public, max-age=31536000, immutable");
    }
    const brotli = await get("gzip, deflate, br");
    expect(brotli).toMatchObject({ ...plain, "content-encoding": "br" });
    expect(brotliDecompressSync(brotli.body).toString()).toBe(SCRIPT.text);
    const gzip = await get("gzip;q=0.5, br;q=0");
    expect(gzip).toMatchObject({ ...plain, "content-encoding": "gzip" });
    expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT.text);
  });

  test("others are asked for again by their tag, and then not sent", async () => {
    const first = await claviger.call({ path: MARK.path });
    expect(first).toMatchObject({
      status: 200,
      text: MARK.text,
      headers: {
        "content-type": "image/svg+xml",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
      },
    });
    const tag = String(first.headers.etag);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = await claviger.call({ path: MARK.path, headers: { "if-none-match": known } });
      expect([again.status, again.text], known).toEqual([304, ""]);
    }
    expect((await claviger.call({ path: MARK.path, headers: { "if-none-match": '"other"' } })).status).toBe(
      200,
    );
  });

  test("[A4] nothing else of the machine or of the build is a file: paths are compared, never opened", async () => {
    for (const path of [
      "/index.html",
      "/pages.json",
      `${SCRIPT.path}.br`,
      "/assets/",
      "/assets",
      "/assets/../favicon.svg",
      "/assets/..%2Findex.html",
      "/assets/%2e%2e/%2e%2e/etc/passwd",
      "//favicon.svg",
      "/favicon.svg/",
      "/Favicon.svg",
      "/%66avicon.svg",
      "/favicon.svg%00",
      "/keys/",
      "//keys",
      "/Keys",
      "/providers/a%2Fb",
      "/providers/..",
      "/providers/",
    ])
      expect([path, statusOf(await sendRaw(claviger.url, rawRequest(`GET ${path} HTTP/1.1`)))]).toEqual([
        path,
        404,
      ]);
  });
});

test("[I4] a listener that does not serve the dashboard knows none of it", async () => {
  const serves = new Set(["gateway", "api", "events"] as const);
  const [url = ""] = await addListeners(claviger, listenerSpec("bare", { serves }));
  for (const path of [...PATHS, SCRIPT.path, "/nothing"]) {
    const { status, json } = await ask(url, { path, headers: HTML });
    expect([path, status, json]).toEqual([path, 404, expect.objectContaining({ code: "not_found" })]);
  }
});

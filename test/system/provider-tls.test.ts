import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "../claviger.ts";
import { startConnectProxy } from "../connect-proxy.ts";
import { requiredTool } from "./required-tool.ts";

/** An upstream over TLS whose certificate no system trusts. */
async function startPrivate(directory: string) {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=own".split(
    " ",
  );
  const more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "crt.pem"];
  execFileSync(requiredTool("openssl"), [...words, ...more], { cwd: directory, stdio: "pipe" });
  const read = (name: string) => readFileSync(join(directory, name));
  const heard: (string | undefined)[] = [];
  const server = createServer({ cert: read("crt.pem"), key: read("key.pem") }, (request, response) => {
    heard.push(request.headers.authorization);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ data: [{ id: "own-1" }] }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    heard,
    caFile: join(directory, "crt.pem"),
    baseUrl: `https://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("[G12] a provider with a private CA answers once its ca_file is named, over a proxy too, and hears no credential before", async () => {
  const directory = mkdtempSync(join(tmpdir(), "claviger-private-ca-"));
  try {
    await using upstream = await startPrivate(directory);
    await using proxy = await startConnectProxy();
    await using claviger = await startClaviger();
    const credential = "upstream-credential-0001";
    await claviger.addProvider("sim", upstream.baseUrl, credential);
    const test = async () =>
      (await claviger.control({ method: "POST", path: "/api/v1/providers/sim/test" })).json;
    const patch = (body: object) =>
      claviger.control({ method: "PATCH", path: "/api/v1/providers/sim", body });
    const call = () =>
      claviger.control({ method: "POST", path: "/v1/embeddings", body: { model: "sim/own-1", input: "x" } });
    const untrusted = expect.stringContaining("No trusted TLS");
    expect(await test()).toEqual({ ok: false, error: untrusted });
    expect(await call()).toMatchObject({ status: 502, json: { error: { message: untrusted } } });
    expect(upstream.heard).toEqual([]);
    await patch({ options: { ca_file: upstream.caFile } });
    expect(await test()).toMatchObject({ ok: true });
    expect((await call()).status).toBe(200);
    const credentials = [{ type: "api_key", value: credential }];
    expect((await patch({ options: { proxy: proxy.url }, credentials })).status).toBe(200);
    expect((await call()).status).toBe(200);
    expect(proxy.heads[0]).toContain(`CONNECT ${new URL(upstream.baseUrl).host} `);
    expect(proxy.heads.join("")).not.toContain(credential);
    expect(new Set(upstream.heard)).toEqual(new Set([`Bearer ${credential}`]));
    await patch({ options: { ca_file: null, proxy: null } });
    expect(await call()).toMatchObject({ status: 502, json: { error: { message: untrusted } } });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

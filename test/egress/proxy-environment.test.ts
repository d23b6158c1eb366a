import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startUpstream } from "#test/upstream.ts";

const CHILD = fileURLToPath(new URL("./proxy-environment-child.ts", import.meta.url));

test("[N7] [G12] a process started with every proxy variable set goes to its upstream and to no proxy", async () => {
  await using upstream = await startUpstream();
  await using proxy = await startUpstream();
  const proxyUrl = new URL(proxy.baseUrl).origin;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
  const env = { ...Object.fromEntries(names.map((name) => [name, proxyUrl])), NODE_USE_ENV_PROXY: "1" };
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, `${upstream.baseUrl}/models`], {
    env,
  });
  expect(stdout).toBe("200");
  expect([upstream.connections, proxy.connections]).toEqual([1, 0]);
});

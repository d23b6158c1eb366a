import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";
import { startProgram } from "./running-program.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");

test("[N7] from its start through a request to its end the server connects to the upstream and nowhere else", {
  timeout: 60_000,
}, async () => {
  await using upstream = await startUpstream();
  const root = mkdtempSync(path.join(tmpdir(), "egress-"));
  const dataDir = path.join(root, "kept");
  const trace = path.join(root, "trace");
  // A proxy in the environment must be ignored: a connection to it would stand in the trace.
  const proxy = "http://127.0.0.1:3128";
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
  };
  try {
    const strace = ["-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", trace];
    const serve = [MAIN, "serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0"];
    await using server = startProgram(
      requiredTool("strace"),
      [...strace, process.execPath, ...NODE_FLAGS.sources, ...serve],
      { env },
    );
    const [, url = ""] = await server.hears(/point the program at (\S+)\/v1/);
    const flags = ["--data-dir", dataDir, "--base-url", upstream.baseUrl];
    const added = await runProgram(
      process.execPath,
      [MAIN, "provider", "add", "sim", "--kind", "openai-compatible", ...flags],
      { env, stdin: "upstream-credential\n" },
    );
    expect(added.status).toBe(0);
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: `sim/${UPSTREAM_MODEL}`, messages: [] }),
    });
    expect(answer.status).toBe(200);
    const status = await runProgram(process.execPath, [MAIN, "status", "--json", "--data-dir", dataDir], {
      env,
    });
    const { pid }: { pid: unknown } = JSON.parse(status.stdout);
    process.kill(Number(pid), "SIGTERM");
    expect(await server.end()).toBe(0);

    const addressed = internetAddresses(readFileSync(trace, "utf8"));
    expect(new Set(addressed)).toEqual(new Set([new URL(upstream.baseUrl).host]));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

/** Every internet address that a traced call names, as `address:port`; local sockets have none. */
function internetAddresses(trace: string): string[] {
  const v4 = trace.matchAll(/sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/g);
  const v6 = trace.matchAll(/sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/g);
  return [...v4, ...v6].map(([, port, address]) => `${address}:${port}`);
}

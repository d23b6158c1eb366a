import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { claviger } from "../start/process.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";

vi.setConfig({ testTimeout: 60_000 });

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLACEHOLDER = "YOUR_CLAVIGER_KEY";
const printed = z.object({
  url: z.string(),
  tools: z.array(z.object({ tool: z.string(), title: z.string(), where: z.string(), text: z.string() })),
});
const OPENAI_TOOLS = ["curl", "openai-python", "openai-js", "cursor", "continue", "aider", "open-webui"];
const ALL_TOOLS = [...OPENAI_TOOLS, "anthropic-python", "anthropic-js", "claude-code"];

const connect = (server: TestClaviger, ...words: string[]) =>
  claviger(["connect", ...words, "--data-dir", server.dataDir]);

/** The settings by program, with a key put where the person puts it. */
async function settings(server: TestClaviger, words: readonly string[], key = PLACEHOLDER) {
  const { stdout, stderr } = await connect(server, ...words, "--json");
  expect(stderr).toBe("");
  const { tools } = printed.parse(JSON.parse(stdout));
  return new Map(tools.map(({ tool, text }) => [tool, text.replaceAll(PLACEHOLDER, key)]));
}

/** Runs a program and gives what it wrote; a status other than 0 is an error. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { cwd: ROOT, env: { PATH: process.env.PATH }, stdio: "pipe" });
  let out = "";
  let complaint = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk));
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk));
  child.stdin.end();
  const status = await new Promise((resolve) => child.once("close", resolve));
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${complaint}`);
  return out;
}

const runModule = (text: string) => output(process.execPath, ["--input-type=module", "--eval", text]);
/** The shell's lines, with the program at their end replaced by one that prints its arguments and these variables. */
const runShell = async (program: string, text: string, variables: readonly string[]) => {
  const print = `${program}() { printf '%s\\n' ${variables.map((name) => `"$${name}"`).join(" ")} "$@"; }`;
  return (await output("bash", ["--norc", "-c", `ANTHROPIC_API_KEY=other\n${print}\n${text}`]))
    .replace(/\n$/, "")
    .split("\n");
};

async function startConnected() {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const server = stack.use(await startClaviger());
  await server.addProvider("my-sim", upstream.baseUrl);
  const { key } = await server.issueKey("app");
  return { server, key, upstream, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A chat request as a program with these settings sends it. */
async function chat(baseUrl: string, key: string, model: string): Promise<number> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(`${baseUrl}/chat/completions`, { method: "POST", headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

test("[G10] the settings for the OpenAI SDK run as they are printed, with the key put in", async () => {
  await using bench = await startConnected();
  const texts = await settings(bench.server, ["my-sim"], bench.key);
  expect([...texts.keys()].sort()).toEqual([...OPENAI_TOOLS].sort());
  expect((await runModule(texts.get("openai-js") ?? "")).trim()).not.toBe("");
  expect(bench.upstream.requests.at(-1)?.path).toBe("/v1/chat/completions");
  expect(JSON.parse(String(bench.upstream.requests.at(-1)?.body)).model).toBe(UPSTREAM_MODEL);
  const python = texts.get("openai-python") ?? "";
  const [, baseUrl = "", key = ""] = /base_url="(.+?)", api_key="(.+?)"/.exec(python) ?? [];
  const [, model = ""] = /model="(.+?)"/.exec(python) ?? [];
  expect(await chat(baseUrl, key, model)).toBe(200);
});

test("[G10] the shell settings of aider and Open WebUI, Continue's file and Cursor's fields lead to this server", async () => {
  await using bench = await startConnected();
  const texts = await settings(bench.server, ["my-sim"], bench.key);
  const names = ["OPENAI_API_BASE", "OPENAI_API_KEY"];
  const [base = "", key = "", flag, model = ""] = await runShell("aider", texts.get("aider") ?? "", names);
  expect([flag, model]).toEqual(["--model", `openai/my-sim/${UPSTREAM_MODEL}`]);
  expect(await chat(base, key, model.replace("openai/", ""))).toBe(200);
  const web = await runShell("open-webui", texts.get("open-webui") ?? "", [
    "OPENAI_API_BASE_URL",
    "OPENAI_API_KEY",
  ]);
  expect(web).toEqual([`${bench.server.url}/v1`, bench.key, "serve"]);
  const file = z
    .object({
      schema: z.literal("v1"),
      models: z.array(
        z.object({
          provider: z.literal("openai"),
          model: z.string(),
          apiBase: z.string(),
          apiKey: z.string(),
        }),
      ),
    })
    .parse(parse(texts.get("continue") ?? ""));
  for (const entry of file.models) expect(await chat(entry.apiBase, entry.apiKey, entry.model)).toBe(200);
  expect(texts.get("cursor")).toMatch(new RegExp(`Key: +${bench.key}\\n.*URL: +${bench.server.url}/v1\\n`));
});

test("[G10] the settings for the Anthropic SDK run as they are printed, and Claude Code's reach the same address", async () => {
  const heard: { url: string | undefined; key: unknown }[] = [];
  const anthropic = createServer(({ url, headers }, response) => {
    heard.push({ url, key: headers["x-api-key"] ?? headers.authorization });
    const message = {
      ...{ id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn" },
      ...{
        content: [{ type: "text", text: "Hello yourself" }],
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    };
    response.setHeader("content-type", "application/json").end(JSON.stringify(message));
  });
  await new Promise<void>((resolve) => anthropic.listen(0, "127.0.0.1", resolve));
  const address = anthropic.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  await using server = await startClaviger();
  const texts = await settings(server, ["--url", `${url}/`], "a-key");
  expect([...texts.keys()].sort()).toEqual([...ALL_TOOLS].sort());
  expect(await runModule(texts.get("anthropic-js") ?? "")).toBe("Hello yourself\n");
  expect(heard).toEqual([{ url: "/v1/messages", key: expect.stringMatching(/^(Bearer )?a-key$/) }]);
  expect(texts.get("anthropic-python")).toContain(`base_url="${url}", api_key="a-key"`);
  const names = ["ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"];
  expect(await runShell("claude", texts.get("claude-code") ?? "", names)).toEqual([url, "a-key", ""]);
  await new Promise((resolve) => anthropic.close(resolve));
});

test("[G10] one program alone, by its name or with a provider; another model; names with odd letters stay one word", async () => {
  await using bench = await startConnected();
  expect([...(await settings(bench.server, ["aider"])).keys()]).toEqual(["aider"]);
  const model = "my-sim/it's a $(model)";
  const words = ["my-sim", "--tool", "aider", "--model", model];
  const [, given = ""] = await runShell(
    "aider",
    (await settings(bench.server, words)).get("aider") ?? "",
    [],
  );
  expect(given).toBe(`openai/${model}`);
  const foreign = await connect(bench.server, "my-sim", "--tool", "claude-code");
  expect(foreign.status).toBe(EXIT.data);
  expect((await connect(bench.server, "no-such-thing")).stderr).toContain("no-such-thing");
  expect((await connect(bench.server, "my-sim", "--tool", "emacs")).status).toBe(EXIT.usage);
});

test("[G10] a plain HTTP provider is shown by the address below which it is published", async () => {
  await using bench = await startConnected();
  const body = { name: "web", kind: "http", base_url: "http://127.0.0.1:9/" };
  await bench.server.control({ method: "POST", path: "/api/v1/providers", body });
  const texts = await settings(bench.server, ["web"], bench.key);
  expect([...texts]).toEqual([
    ["curl", `curl -H 'Authorization: Bearer ${bench.key}' ${bench.server.url}/x/web/`],
  ]);
});

test("[G10] the printed page holds every setting with the place it belongs to, and no key", async () => {
  await using bench = await startConnected();
  const page = await connect(bench.server);
  expect(page.status).toBe(0);
  for (const text of [
    PLACEHOLDER,
    "claviger api-key create",
    "# Cursor (",
    "# aider (",
    "~/.continue/config.yaml",
  ])
    expect(page.stdout).toContain(text);
  expect(page.stdout).not.toMatch(/sk-claviger-\w/);
  expect(page.stdout).toContain(`${bench.server.url}/v1`);
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { requiredTool } from "./required-tool.ts";
import { type ProgramRun, runProgram } from "./run-program.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const A_MINUTE = { timeout: 60_000 };
const BODY = JSON.stringify({
  model: `sim/${UPSTREAM_MODEL}`,
  messages: [{ role: "user", content: "hello" }],
});

test("[I8][I9] openssl finds the hash of a generated key as the format describes it", {
  timeout: 60_000,
}, async () => {
  const generated = await claviger(["api-key", "generate", "--json"]);
  const { private_key, public_hash }: Record<string, string> = JSON.parse(generated.stdout);
  const key = String(private_key);
  const openssl = requiredTool("openssl");
  const shell = `printf %s "$0" | ${openssl} dgst -sha256 -binary | ${openssl} base64 -A | tr '+/' '-_' | tr -d '='`;
  const digest = await runProgram("sh", ["-c", shell, key]);
  const decoded = await runProgram(openssl, ["base64", "-d", "-A"], { stdin: String(public_hash) });
  expect(decoded.stdout).toBe(`sha256$${digest.stdout}`);

  const right = await claviger(["api-key", "validate", String(public_hash)], `${key}\n`);
  expect(right).toMatchObject({ status: 0, stdout: "Key is valid\n" });
  const wrong = await claviger(["api-key", "validate", String(public_hash)], `${key.slice(0, -1)}\n`);
  expect(wrong.status).toBe(1);
  expect(wrong.stdout).toMatch(/^Key is NOT valid: /);
});

test("[I8] a hash that openssl made of a key is one that the command accepts", {
  timeout: 60_000,
}, async () => {
  const generated = await claviger(["api-key", "generate", "--json"]);
  const { private_key }: Record<string, string> = JSON.parse(generated.stdout);
  const openssl = requiredTool("openssl");
  const digest = `$(printf %s "$0" | ${openssl} dgst -sha256 -binary | ${openssl} base64 -A | tr '+/' '-_' | tr -d '=')`;
  const made = await runProgram("sh", [
    "-c",
    `printf 'sha256$%s' "${digest}" | ${openssl} base64 -A`,
    String(private_key),
  ]);
  const verdict = await claviger(["api-key", "validate", made.stdout], String(private_key));
  expect(verdict).toMatchObject({ status: 0, stdout: "Key is valid\n" });
});

test(
  "[A10][A11] curl is anonymous without a credential and with the literal one, and judged by any other",
  A_MINUTE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using server = await startClaviger();
    await server.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
    const { key } = await server.issueKey("app");
    const chat = `${server.url}/v1/chat/completions`;
    const authorization = (value: string) => ["--header", `authorization: Bearer ${value}`];
    const foreign = ["--header", "origin: https://elsewhere.example"];

    expect(await curlStatus(chat, [])).toBe("200");
    expect(await curlStatus(chat, authorization("anonymous"))).toBe("200");
    expect(await curlStatus(chat, authorization(key))).toBe("200");
    expect(upstream.requests).toHaveLength(3);

    expect(await curlStatus(chat, authorization(`${key}x`))).toBe("401");
    expect(await curlStatus(chat, authorization("anonymously"))).toBe("401");
    expect(await curlStatus(chat, foreign)).toBe("403");
    expect(await curlStatus(chat, [...authorization("anonymous"), ...foreign])).toBe("403");
    expect(await curlStatus(chat, [...authorization(key), ...foreign])).toBe("200");
    expect(upstream.requests).toHaveLength(4);
  },
);

async function curlStatus(url: string, args: readonly string[]): Promise<string> {
  const json = "content-type: application/json";
  const { stdout } = await runProgram(requiredTool("curl"), [
    ...["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--noproxy", "*"],
    ...["--header", json, "--data", BODY, ...args, url],
  ]);
  return stdout;
}

/** The command line of this checkout, with the Node that runs the tests and no server near. */
async function claviger(args: readonly string[], stdin = ""): Promise<ProgramRun> {
  const home = mkdtempSync(path.join(tmpdir(), "home-"));
  try {
    return await runProgram(process.execPath, [path.join(CHECKOUT, "src/main.ts"), ...args], {
      stdin,
      env: { PATH: process.env.PATH, HOME: home, NODE_OPTIONS: "--disable-warning=ExperimentalWarning" },
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

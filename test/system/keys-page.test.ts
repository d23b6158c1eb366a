import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");

test("[I12][I17] every command of the page about keys does what the page says, one after another", {
  timeout: 300_000,
}, async () => {
  requiredTool("curl");
  await using server = await startClaviger();
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(path.join(tmpdir(), "claviger-keys-page-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const launcher = path.join(directory, "claviger");
  writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' '${CHECKOUT}/src/main.ts' "$@"\n`);
  chmodSync(launcher, 0o755);
  const env = {
    PATH: `${directory}:${process.env.PATH}`,
    HOME: directory,
    DATA_DIR: server.dataDir,
    SERVER: server.url,
  };
  const page = readFileSync(path.join(CHECKOUT, "docs/keys.md"), "utf8");
  const blocks = [...page.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , text]) => text ?? "");
  expect(blocks).toHaveLength(11);
  const runs: string[] = [];
  for (const block of blocks) {
    const run = await runProgram(requiredTool("bash"), ["--norc", "-euo", "pipefail", "-c", block], {
      cwd: directory,
      env,
    });
    expect([block, run.status, run.stderr]).toEqual([block, 0, ""]);
    runs.push(run.stdout);
  }
  const said = (words: string) => runs[blocks.findIndex((block) => block.includes(words))] ?? "";
  expect(said("create nightly-report")).toMatch(/ nightly-report /);
  expect(said("api-key validate")).toBe("Key is valid\n");
  expect(said("--sort -last_used_at")).toMatch(/^ID +NAME[\s\S]* web /);
  expect(said("%{http_code}")).toBe("200\n");
  expect(said('api-key revoke "$(')).toMatch(/^key key_\w{12} revoked\n$/);
  expect(said("--leaked <")).toMatch(/^key \S+ revoked\n[\s\S]*its last requests:\n {2}\S+ {2}200/);
});

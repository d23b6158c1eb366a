import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { newPin } from "#test/cluster/member.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { strangersEnvironment } from "./clone.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";
import { questionsIn, recordSetup } from "./setup-recording.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const PAGE = readFileSync(path.join(CHECKOUT, "docs/first-run.md"), "utf8");
const LISTENER = {
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth: ["users", "keys", "cluster"],
};

/** A person's home, where the server that he started is stopped at the end. */
async function home() {
  const root = mkdtempSync(path.join(tmpdir(), "first-run-"));
  const dataDir = path.join(root, "data");
  const cwd = path.join(root, "claviger");
  const env = { ...strangersEnvironment(), DATA_DIR: dataDir, REPOSITORY: CHECKOUT };
  // A port that nobody has.
  mkdirSync(path.join(dataDir, "etc"), { recursive: true, mode: 0o700 });
  const yaml = JSON.stringify({ resources: { here: LISTENER } });
  writeFileSync(path.join(dataDir, "etc", "claviger.yaml"), yaml, { mode: 0o600 });
  symlinkSync(path.join(CHECKOUT, "node_modules"), path.join(root, "node_modules"));
  const run = (block: string, where = cwd) =>
    runProgram(requiredTool("bash"), ["--norc", "-euo", "pipefail", "-c", block], { cwd: where, env });
  const status = async () => JSON.parse((await run("bin/claviger status --json")).stdout || "{}");
  return {
    root,
    cwd,
    run,
    status,
    [Symbol.asyncDispose]: async () => {
      const { pid } = await status();
      if (pid !== undefined) process.kill(Number(pid), "SIGTERM");
      await expect.poll(async () => (await status()).pid, { timeout: 60_000 }).toBeUndefined();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

test("[N14] [L1] every command of the page about the first run leads, one after another, from a clone to an answered SDK call", {
  timeout: 600_000,
}, async () => {
  requiredTool("openssl");
  await using upstream = await startUpstream();
  await using place = await home();
  const blocks = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");
  expect(blocks).toHaveLength(8);
  const [start = "", ...others] = blocks;
  const started = await place.run(start, place.root);
  expect([started.status, started.stdout]).toEqual([0, expect.stringContaining("listens on")]);
  const [url] = (await place.status()).listeners;
  writeFileSync(path.join(place.cwd, "pin"), `${newPin()}\n`);
  writeFileSync(path.join(place.cwd, "provider.key"), `${systemRandom.bytes(16).toString("hex")}\n`);
  const runs: string[] = [];
  for (const block of others) {
    if (block.includes("key unlock")) await place.run("bin/claviger key lock");
    const here = block
      .replace("provider add openai", `provider add openai --base-url ${upstream.baseUrl}`)
      .replace("http://127.0.0.1:8441", url)
      .replace("gpt-4o-mini", UPSTREAM_MODEL);
    const run = await place.run(here);
    expect([block, run.status, run.stderr]).toEqual([block, 0, expect.any(String)]);
    runs.push(run.stdout);
  }
  const said = (part: string) => runs[others.findIndex((block) => block.includes(part))] ?? "";
  expect(said("bin/claviger setup\n")).toMatch(
    /^\* password: .*\n\* server key: .*\n\* cluster: .*\n\* provider: openai\n\* api key: keys for my-app\n/,
  );
  expect(said("hello.mjs")).toBe("Hello.\n");
  expect(said("key unlock")).toBe("unlocked\n");
});

test("[N14] the recording of the first run and the page show what setup asks now, and no secret", {
  timeout: 300_000,
}, async () => {
  const recorded = readFileSync(path.join(CHECKOUT, "docs/recordings/setup.cast"), "utf8");
  const { cast, text } = await recordSetup();
  expect(questionsIn(recorded)).toEqual(questionsIn(cast));
  expect(questionsIn(recorded).length).toBeGreaterThan(15);
  // Made anew by: node tools/record-setup.ts
  expect(PAGE).toContain(`\`\`\`text\n${text}\n\`\`\``);
  for (const written of [recorded, cast, PAGE])
    expect(written).not.toMatch(/(sk-claviger-|claviger-recovery-)\w/);
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { requiredTool } from "./required-tool.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");

test("[L3] at a terminal the key for another server is asked for once, and is not shown", async () => {
  await using server = await startClaviger();
  const { key } = await server.issueKey("typed", ["superadmin"]);
  // The terminal is as wide as its driver, which has none.
  const line = `stty cols 100; "${process.execPath}" "${MAIN}" connect aider --url https://shown.example`;
  const child = spawn(requiredTool("script"), ["-qec", line, "/dev/null"], {
    env: { ...process.env, CLAVIGER_URL: server.url, TERM: "xterm" },
  });
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (!seen.includes("API key") && `${seen}${chunk}`.includes("API key")) child.stdin.write(`${key}\r`);
    seen += chunk;
  });
  await once(child, "close");
  expect([child.exitCode, seen]).toEqual([0, expect.stringContaining("https://shown.example")]);
  expect(seen).not.toContain(key);
});

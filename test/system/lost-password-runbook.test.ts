import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { codeOf, firstPerson, freshPassword, logIn } from "#test/people/person.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";
import { atTerminal } from "./terminal.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");

test("[U4] [U7] every command of the runbook of a lost password does what the page says, on a locked server", {
  timeout: 300_000,
}, async () => {
  requiredTool("curl");
  requiredTool("openssl");
  await using server = await startClaviger();
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(path.join(tmpdir(), "claviger-lost-password-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const launcher = path.join(directory, "claviger");
  writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' '${CHECKOUT}/src/main.ts' "$@"\n`);
  chmodSync(launcher, 0o755);
  const own = await firstPerson(server);
  const words = ["user", "add-second-factor", "admin", "--data-dir", server.dataDir];
  await enrol(words);
  const key = freshPassword();
  writeFileSync(path.join(directory, "server.key"), `${key}\n`);
  await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } });
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  const page = readFileSync(path.join(CHECKOUT, "docs/runbooks/lost-password.md"), "utf8");
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? "");
  expect(blocks).toHaveLength(6);
  const runs: string[] = [];
  for (const block of blocks) {
    const run = await runProgram(requiredTool("bash"), ["--norc", "-euo", "pipefail", "-c", block], {
      cwd: directory,
      env: {
        PATH: `${directory}:${process.env.PATH}`,
        HOME: directory,
        DATA_DIR: server.dataDir,
        SERVER: server.url,
      },
    });
    expect([block, run.status]).toEqual([block, 0]);
    runs.push(run.stdout);
  }
  const said = (part: string) => runs[blocks.findIndex((block) => block.includes(part))] ?? "";
  expect(said("key status")).toMatch(/locked\n[\s\S]* admin /);
  expect(said("user passwd")).toBe("password of admin changed; all sessions have ended\n");
  expect(JSON.parse(said("/login/password"))).toMatchObject({ must_change_password: false });
  expect(said("key unlock")).toBe("unlocked\n");
  expect(said("audit export").match(/"actor":"local"/g)).toHaveLength(2);
  expect((await logIn(server, { password: own.password })).status).toBe(401);
  expect(await enrol(words)).toMatch(/(\w{4}-){3}\w{4}\n/);
});

/** Gives a second factor at a terminal, with a wrong code first; what was shown. */
async function enrol(words: readonly string[]): Promise<string> {
  const code = (shown: string) => codeOf(/secret=([A-Z2-7]+)/.exec(shown)?.[1] ?? "", Date.now());
  const { status, shown } = await atTerminal(words, [
    ["The app's code", "12345"],
    ["The app's code", code],
  ]);
  expect([status, shown]).toEqual([0, expect.stringContaining("gives a code too now")]);
  return shown;
}

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { firstPerson } from "../people/person.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const RESTART = "# after the restart\n";
const STOPPED = "# while the server is stopped\n";

/** What `curl` presents, as the page has it, and as it says that somebody who signed in does. */
const WAYS = [
  ["a key", "-H @admin.header"],
  ["a session's cookie", "-b jar -c jar"],
] as const;

test.for(
  WAYS,
)("[S2] [S5] [S7] [S8] [S9] [S15] every command of the runbook of the server key does what the page says, one after another, with %s", {
  timeout: 400_000,
}, async ([, credential]) => {
  requiredTool("curl");
  requiredTool("openssl");
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(path.join(tmpdir(), "claviger-server-key-page-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const launcher = path.join(directory, "claviger");
  writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' '${CHECKOUT}/src/main.ts' "$@"\n`);
  chmodSync(launcher, 0o755);
  const dataDir = path.join(directory, "data");
  let server: TestClaviger = await startClaviger({ dataDir });
  stack.defer(() => server[Symbol.asyncDispose]());
  const secret = { value: systemRandom.bytes(18).toString("base64url") };
  await server.control({ method: "PUT", path: "/api/v1/credentials/main", body: secret });
  await signIn(server, directory);
  const runs = new Map<string, string>();
  const values: Buffer[] = [];
  for (const written of blocksOf("docs/runbooks/server-key.md")) {
    const block = written.replaceAll("-H @admin.header", credential);
    if (block.startsWith(RESTART)) {
      await server[Symbol.asyncDispose]();
      server = await startClaviger({ dataDir });
      expect(server.logged()).toContain("server started; locked");
    }
    if (block.startsWith(STOPPED)) {
      await server[Symbol.asyncDispose]();
      values.push(sealedIn(dataDir));
      damage(dataDir);
    }
    const run = await runProgram(requiredTool("bash"), ["--norc", "-euo", "pipefail", "-c", block], {
      cwd: directory,
      env: {
        PATH: `${directory}:${process.env.PATH}`,
        HOME: directory,
        DATA_DIR: dataDir,
        SERVER: server.url,
        ROW: "named_credential/main",
      },
    });
    // What is said before a key is set is for the person, and no error.
    const complained = run.stderr.replace(/^Save the server key before[\s\S]*$/, "");
    expect([block, run.status, complained]).toEqual([block, 0, ""]);
    runs.set(`${runs.size} ${block}`, run.stdout);
    if (block.startsWith(STOPPED)) values.push(sealedIn(dataDir));
  }
  const said = (words: string) => [...runs].find(([block]) => block.includes(words))?.[1] ?? "";
  expect(runs.size).toBe(16);
  expect([values.length, values[1]]).toEqual([2, values[0]]);
  expect(said('--only "$ROW"')).toMatch(/^named_credential\/main is as it was in the backup of /);
  expect(said("cat server.key server.key")).toMatch(/0 secrets re-sealed, \d+ were already\n$/);
  expect(said("claviger key status ||")).toMatch(/locked; [\s\S]*unlocked\nencryption: unlocked\n$/);
  expect(said("@unlock.json")).toBe('{"initialized":true,"unlocked":true}');
  expect(said("cat server.key new.key")).toMatch(/^The new server key holds; the old one is refused\.\n/);
  expect(said("claviger key lock")).toMatch(/^locked/);
  expect(said("recovery revoke")).toBe("no recovery key unlocks this server any more\n");
  const audited = JSON.parse(said("api/v1/audit")).data;
  for (const action of ["key.initialize", "key.unlock", "key.rotate", "key.lock"])
    expect(audited).toContainEqual(expect.objectContaining({ action, outcome: "success" }));
  const unlockers = audited.map(Object).filter(({ action }: { action: string }) => action === "key.unlock");
  const who = credential.includes("jar") ? /^user_/ : /^key_/;
  expect(unlockers.some(({ actor }: { actor: string }) => who.test(actor))).toBe(true);
});

/** Has the cookie of the first user in the file `jar`, as the page on people says. */
async function signIn(server: TestClaviger, cwd: string): Promise<void> {
  const { password } = await firstPerson(server);
  const body = JSON.stringify({ username: "admin", password });
  const json = ["-H", "content-type: application/json", "-d", body];
  const args = ["-fsS", "-c", "jar", ...json, `${server.url}/login/password`];
  const run = await runProgram(requiredTool("curl"), args, { cwd });
  expect([run.status, run.stderr]).toEqual([0, ""]);
}

function sealedIn(dataDir: string): Buffer {
  using store = new DatabaseSync(path.join(dataDir, "db", "data.sqlite"), { readOnly: true, timeout: 5000 });
  const sealed = store.prepare("SELECT sealed FROM named_credential WHERE name = 'main'").get()?.sealed;
  return Buffer.from(sealed instanceof Uint8Array ? sealed : []);
}

function damage(dataDir: string): void {
  using store = new DatabaseSync(path.join(dataDir, "db", "data.sqlite"), { timeout: 5000 });
  store.exec(
    "UPDATE named_credential SET sealed = substr(sealed, 1, 20) || zeroblob(30) WHERE name = 'main'",
  );
}

/** The commands of a page, in their order. */
function blocksOf(page: string): string[] {
  const text = readFileSync(path.join(CHECKOUT, page), "utf8");
  return [...text.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

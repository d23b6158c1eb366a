import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { claviger, scratch, serve } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";
import { runProgram } from "./run-program.ts";

vi.setConfig({ testTimeout: 240_000 });

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const RUNBOOK = readFileSync(new URL("../../docs/runbooks/backup.md", import.meta.url), "utf8");

/** The shell lines under a heading of the runbook. */
function linesUnder(heading: string): string[] {
  const [, section = ""] = RUNBOOK.split(`# ${heading}\n`);
  const [own = ""] = section.split(/\n#+ /);
  return [...own.matchAll(/```sh\n(.*?)```/gs)].map(([, lines = ""]) => lines);
}

/** A machine: a home directory, and `claviger` on the path. */
function machine(root: string, name: string) {
  const home = join(root, name);
  mkdirSync(join(home, "bin"), { recursive: true });
  const program = join(home, "bin", "claviger");
  const node = `${[process.execPath, ...NODE_FLAGS.sources].join(" ")}`;
  writeFileSync(program, `#!/bin/sh\nexec ${node} ${MAIN} "$@"\n`);
  chmodSync(program, 0o755);
  const env = { HOME: home, PATH: `${join(home, "bin")}:${process.env.PATH}` };
  return {
    home,
    dataDir: join(home, ".claviger"),
    run: (lines: string) => runProgram("/bin/sh", ["-eu", "-c", lines], { env }),
  };
}

async function use(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

test("every block of the runbook is run below", () => {
  const used = ["Back up", "Every night", "Rehearse a restore", "Restore", "Move to another machine"];
  const blocks = used.flatMap(linesUnder);
  expect(blocks).toHaveLength(RUNBOOK.match(/```sh\n/g)?.length ?? 0);
});

test("[S14] every command of the runbook does what it says, from the first backup to the new machine", async () => {
  using place = scratch();
  const old = machine(place.root, "old");
  await using upstream = await startUpstream();
  const [serverKey, password] = [0, 1].map(() => systemRandom.bytes(18).toString("base64url"));
  writeFileSync(join(old.home, "backup-password"), `${password}\n`, { mode: 0o600 });
  let key = "";
  {
    await using server = await serve(old.dataDir);
    const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
    expect((await claviger([...add, "--data-dir", old.dataDir], { input: "credential\n" })).status).toBe(0);
    const made = await claviger(["api-key", "create", "app", "--json", "--data-dir", old.dataDir]);
    key = JSON.parse(made.stdout).key;
    const init = await claviger(["key", "init", "--data-dir", old.dataDir], { input: `${serverKey}\n` });
    expect(init.stderr + init.stdout).not.toMatch(/claviger: /);
    for (const lines of [...linesUnder("Back up"), ...linesUnder("Every night")])
      expect(await old.run(lines)).toMatchObject({ status: 0 });
    expect(await use(server.url, key)).toBe(200);
    await server.kill("SIGTERM");
  }
  const files = readdirSync(join(old.home, "backups"));
  expect(files).toHaveLength(3);
  for (const file of files) expect(statSync(join(old.home, "backups", file)).mode & 0o777, file).toBe(0o600);
  // Stopped, it is backed up as well; and thirteen more nights leave fourteen files. A night has a second of its own.
  const first = files.find((name) => name.startsWith("nightly-")) ?? "";
  renameSync(join(old.home, "backups", first), join(old.home, "backups", "nightly-20000123T000000Z.backup"));
  for (let night = 10; night < 23; night++)
    writeFileSync(join(old.home, "backups", `nightly-200001${night}T000000Z.backup`), "");
  writeFileSync(join(old.home, "backups", "nightly-20000101T000000Z.backup"), "");
  expect(await old.run("~/claviger-backup")).toMatchObject({ status: 0 });
  const nights = readdirSync(join(old.home, "backups")).filter((name) => name.startsWith("nightly-"));
  expect(nights).toHaveLength(14);
  expect(nights).not.toContain("nightly-20000101T000000Z.backup");

  const [rehearse = "", elsewhere = ""] = linesUnder("Rehearse a restore");
  const rehearsed = await old.run(rehearse);
  expect(rehearsed).toMatchObject({ status: 0, stdout: expect.stringMatching(/server key: [0-9a-f]{16}\n/) });
  expect(existsSync(join(old.dataDir, "restore"))).toBe(false);
  expect(await old.run(elsewhere)).toMatchObject({ status: 0 });

  const [restore = ""] = linesUnder("Restore");
  expect(await old.run(restore)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("What was there is in"),
  });

  const fresh = machine(place.root, "new");
  mkdirSync(join(fresh.home, "backups"));
  for (const name of ["backup-password", "backups/with-config.backup"])
    writeFileSync(join(fresh.home, name), readFileSync(join(old.home, name)), { mode: 0o600 });
  const [move = ""] = linesUnder("Move to another machine");
  expect(await fresh.run(move)).toMatchObject({ status: 0 });
  for (const dataDir of [old.dataDir, join(old.home, "rehearsal"), fresh.dataDir]) {
    await using server = await serve(dataDir);
    expect(await use(server.url, key)).toBe(503);
    const unlocked = await claviger(["key", "unlock", "--data-dir", dataDir], { input: `${serverKey}\n` });
    expect(unlocked.status, unlocked.stderr).toBe(0);
    expect(await use(server.url, key)).toBe(200);
    await server.kill("SIGTERM");
  }
});

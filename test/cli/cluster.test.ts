import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { writeCredentials } from "../../src/services/cluster/credential-files.ts";
import { startClaviger } from "../claviger.ts";
import { freshPin, madeUpCredentials } from "../cluster-credentials.ts";
import { claviger, scratch, serve } from "../start/process.ts";

vi.setConfig({ testTimeout: 90_000 });

const LAUNCHER = fileURLToPath(new URL("../../bin/claviger-reset-pin", import.meta.url));
const tokenOf = (dataDir: string) =>
  readFileSync(join(dataDir, "etc", "credentials", "pin_derived_key"), "utf8");

test("[C1] [C4] a cluster is begun by command: a refused PIN is exit status 2 with its reason, then the files are there", async () => {
  await using server = await startClaviger();
  const said: string[] = [];
  const run = async (words: readonly string[], input?: string) => {
    const where = { env: { DATA_DIR: server.dataDir } };
    const ended = await claviger(["cluster", ...words], input === undefined ? where : { ...where, input });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  const pin = freshPin().expose();
  expect(await run(["status"])).toMatchObject({
    status: EXIT.failed,
    stdout: expect.stringContaining("in no cluster"),
  });
  const refused = await run(["init"], "123456\n");
  expect(refused.status).toBe(EXIT.refusedValue);
  expect(refused.stderr).toMatch(/6 or more are advised[\s\S]*counts up or down/);
  expect(await run(["init"])).toMatchObject({ status: EXIT.usage });
  expect(await run(["status"])).toMatchObject({ status: EXIT.failed });
  const made = await run(["init", "--json"], `${pin}\n`);
  expect([made.status, made.stderr]).toEqual([
    EXIT.ok,
    expect.stringContaining("With --yes the command writes one"),
  ]);
  const { cluster_id: id } = JSON.parse(made.stdout);
  expect(JSON.parse(made.stdout)).toEqual({
    status: "member",
    cluster_id: id,
    epoch: 1,
    joining_open_until: expect.stringMatching(/Z$/),
    tries_left: 20,
    join_urls: [],
  });
  expect(await run(["status"])).toMatchObject({
    status: EXIT.ok,
    stdout: expect.stringMatching(
      `^in the cluster ${id}, epoch 1\njoining is open until .*Z, 20 tries left\n  \\S+  up  unlocked  .*\n$`,
    ),
  });
  expect(await run(["init"], `${pin}\n`)).toMatchObject({ status: EXIT.data });
  expect(said.join("")).not.toContain(pin);
  expect(said.join("")).not.toContain(tokenOf(server.dataDir).trim());
});

test("[C4] init --yes writes the listener lan, TLS on 8442, into the file, and beside it the listener that was the default", async () => {
  using place = scratch();
  const file = join(place.path, "etc", "claviger.yaml");
  await using _server = await serve(place.path);
  const init = (input: string) => claviger(["cluster", "init", "--yes", "--data-dir", place.path], { input });
  const made = await init(`${freshPin().expose()}\n`);
  expect([made.status, made.stderr]).toEqual([EXIT.ok, expect.any(String)]);
  expect(made.stdout).toContain(`wrote the listener lan, port 8442, into ${file}`);
  const checked = await claviger(["config", "check", "--explain", "--data-dir", place.path]);
  expect(checked.status, checked.stderr).toBe(EXIT.ok);
  const text = readFileSync(file, "utf8");
  expect(text).toContain('lan: {"resource_type":"HttpServer","listen_addr":":8442","tls":"auto"');
  // Without it the listener of a file that declares none would be gone.
  expect(text).toContain('main: {"resource_type":"HttpServer","listen_addr":"localhost:8441"');
});

test("[C4] init leaves a file alone that has a listener with TLS, and adds to one that has others", async () => {
  for (const tls of ["auto", "off"]) {
    using place = scratch();
    const file = join(place.path, "etc", "claviger.yaml");
    mkdirSync(join(place.path, "etc"), { recursive: true, mode: 0o700 });
    const before = `# ours\nresources:\n  only:\n    resource_type: HttpServer\n    listen_addr: 127.0.0.1:0\n    auth: [keys]\n    tls: ${tls}\n`;
    writeFileSync(file, before);
    await using _server = await serve(place.path);
    const words = ["cluster", "init", "--yes", "--data-dir", place.path];
    const made = await claviger(words, { input: `${freshPin().expose()}\n` });
    expect(made.status, made.stderr).toBe(EXIT.ok);
    const after = readFileSync(file, "utf8");
    expect(after.startsWith(before.trimEnd())).toBe(true);
    expect([after.includes("  lan: "), after.includes("  main: ")]).toEqual([tls === "off", false]);
  }
});

test("[C9] reset-pin on the files: the running server takes them over by itself, salt and cluster stay, and the same PIN gives the same token again", async () => {
  await using server = await startClaviger();
  const env = { DATA_DIR: server.dataDir };
  const [first, second] = [freshPin().expose(), freshPin().expose()];
  const none = await claviger(["reset-pin"], { env, input: `${first}\n` });
  expect([none.status, none.stderr]).toEqual([EXIT.data, expect.stringContaining("claviger cluster init")]);
  const body = { pin: first };
  const made = await server.control({ method: "POST", path: "/api/v1/cluster/init", body });
  expect(made.status).toBe(201);
  const before = tokenOf(server.dataDir);
  expect((await claviger(["reset-pin"], { env, input: "1111\n" })).status).toBe(EXIT.refusedValue);
  expect(tokenOf(server.dataDir)).toBe(before);
  const told = server.logged().length;
  const reset = await claviger(["reset-pin"], { env, input: `${second}\n` });
  expect([reset.status, reset.stdout]).toEqual([
    EXIT.ok,
    expect.stringContaining("Type the same PIN on every other member"),
  ]);
  while (!server.logged().slice(told).includes("credentials are in force")) await nextTurn();
  expect((await server.control({ path: "/api/v1/cluster" })).json).toEqual(made.json);
  expect(tokenOf(server.dataDir)).not.toBe(before);
  const back = execFileSync(LAUNCHER, ["--json"], {
    env: { ...env, PATH: process.env.PATH, HOME: "/nonexistent" },
    input: `${first}\n`,
    encoding: "utf8",
  });
  expect(JSON.parse(back)).toEqual({ reset: true, new_salt: false, epoch: 1 });
  expect(tokenOf(server.dataDir)).toBe(before);
  const same = await claviger(["reset-pin", "--new-salt", "--json"], { env, input: `${first}\n` });
  expect(same.stderr).toContain("this is the PIN already");
  expect(JSON.parse(same.stdout)).toEqual({ reset: true, new_salt: true, epoch: 2 });
  expect(tokenOf(server.dataDir)).not.toBe(before);
  await server.app.close();
  await using again = await startClaviger({ dataDir: server.dataDir });
  const { json } = await again.control({ path: "/api/v1/audit?action=cluster.pin.reset" });
  expect(Object(json).data).toHaveLength(3);
});

test.runIf(process.getuid?.() === 0)(
  "[C9] root resets the PIN as the owner of the data directory, whose the files stay",
  async () => {
    using place = scratch();
    const dataDir = place.path;
    writeFiles(dataDir);
    chmodSync(place.root, 0o755);
    execFileSync("chown", ["-R", "4321:4321", dataDir]);
    const reset = await claviger(["reset-pin", "--data-dir", dataDir], { input: `${freshPin().expose()}\n` });
    expect([reset.status, reset.stderr]).toEqual([EXIT.ok, expect.stringContaining("6 or more are advised")]);
    const files = ["cluster.json", "node.key", "pin_derived_key", "pin_hash"];
    for (const name of files) {
      const { uid, gid, mode } = statSync(join(dataDir, "etc", "credentials", name));
      expect([uid, gid, mode & 0o777], name).toEqual([4321, 4321, 0o400]);
    }
  },
);

test("[C12] [N8] doctor names what closes the cluster and the repair, which --fix or the line carries out", async () => {
  using place = scratch();
  writeFiles(place.path);
  const at = (name: string) => join(place.path, "etc", "credentials", name);
  const doctor = async (...flags: readonly string[]) => {
    const { status, stdout } = await claviger(["doctor", "--json", "--data-dir", place.path, ...flags]);
    const { ok, cluster } = JSON.parse(stdout);
    expect([ok, status]).toEqual(cluster === null ? [true, EXIT.ok] : [false, EXIT.failed]);
    return cluster;
  };
  expect(await doctor()).toBeNull();
  chmodSync(at("pin_hash"), 0o644);
  expect(await doctor()).toEqual({
    problem: `${at("pin_hash")} is 0644, must be 0400`,
    repair: `chmod 0400 ${at("pin_hash")}`,
  });
  expect(await doctor("--fix")).toBeNull();
  rmSync(at("node.key"));
  const line = `claviger reset-pin --data-dir ${place.path}`;
  expect(await doctor()).toEqual({ problem: `${at("node.key")} is missing`, repair: line });
  const { stdout } = await claviger(["doctor", "--data-dir", place.path]);
  expect(stdout).toContain(`The cluster's routes are closed: ${at("node.key")} is missing\n  ${line}\n`);
  const reset = await claviger(line.split(" ").slice(1), { input: `${freshPin().expose()}\n` });
  expect(reset.status, reset.stderr).toBe(EXIT.ok);
  expect(await doctor()).toBeNull();
});

/** A data directory with credentials in the right form. */
function writeFiles(dataDir: string): void {
  for (const name of ["", "db", "secrets", "run", "etc"])
    mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  writeCredentials(join(dataDir, "etc", "credentials"), madeUpCredentials());
}

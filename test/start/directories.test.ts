import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { claviger, Program, scratch, serve } from "./process.ts";

vi.setConfig({ testTimeout: 60_000 });

test("[N1] the data directory is DATA_DIR, else ~/.claviger; removing it leaves a fresh server", async () => {
  using place = scratch();
  const home = join(place.root, "home");
  mkdirSync(home);
  for (const expected of [join(home, ".claviger"), join(home, ".claviger"), place.path]) {
    const env = expected === place.path ? { HOME: home, DATA_DIR: expected } : { HOME: home };
    await using server = new Program(["serve", "--listen", "127.0.0.1:0"], env);
    await server.says(/listens on/);
    const added = ["provider", "add", "sim", "--no-credential", "--base-url", "http://127.0.0.1:9/v1"];
    const add = await claviger([...added, "--kind", "openai-compatible", "--data-dir", expected]);
    expect(add.status, add.stderr).toBe(0);
    expect(existsSync(join(expected, "db", "data.sqlite"))).toBe(true);
    expect((await server.kill("SIGTERM")).status).toBe(0);
    if (expected === place.path) break;
    rmSync(expected, { recursive: true });
    expect(readdirSync(home)).toEqual([]);
  }
  expect(existsSync(join(home, ".claviger"))).toBe(false);
});

test("[N1] after rm -rf of the data directory nothing of it is left", async () => {
  using place = scratch();
  const names = async () =>
    JSON.parse((await claviger(["api-key", "list", "--json", "--data-dir", place.path])).stdout).length;
  {
    await using server = await serve(place.path);
    expect((await claviger(["api-key", "create", "one", "--data-dir", place.path])).status).toBe(0);
    expect(await names()).toBe(1);
    await server.kill("SIGTERM");
  }
  {
    await using again = await serve(place.path);
    expect(await names()).toBe(1);
    await again.kill("SIGTERM");
  }
  rmSync(place.path, { recursive: true });
  expect(readdirSync(place.root)).toEqual([]);
  await using fresh = await serve(place.path);
  expect(await names()).toBe(0);
  await fresh.says(/Next, in another terminal/);
});

test("[N2] [N8] [N10] a running server's store is SQLite in WAL, secrets are 0400 and the socket is in 0700", async () => {
  using place = scratch();
  await using _server = await serve(place.path);
  const store = readFileSync(join(place.path, "db", "data.sqlite"));
  expect(store.subarray(0, 16).toString("latin1")).toBe("SQLite format 3\0");
  // Bytes 18 and 19 of the header are 2 for a store with a write-ahead log.
  expect([store[18], store[19]]).toEqual([2, 2]);
  const modes = (directory: string) =>
    readdirSync(join(place.path, directory)).map((name) => modeOf(join(place.path, directory, name)));
  expect(modeOf(place.path)).toBe("700");
  expect(modeOf(join(place.path, "secrets"))).toBe("700");
  expect(modeOf(join(place.path, "run"))).toBe("700");
  expect(statSync(join(place.path, "run", "control.sock")).isSocket()).toBe(true);
  expect(modes("secrets")).toEqual(["400", "400", "400", "400"]);
  expect(new Set(modes("db"))).toEqual(new Set(["600"]));
});

test("[N3] --config-dir beats CLAVIGER_CONFIG_DIR beats DATA_DIR/etc, and a path problem says which rule chose", async () => {
  using place = scratch();
  const [byFlag, byEnvironment] = [join(place.root, "flag"), join(place.root, "environment")];
  const inData = join(place.path, "etc");
  const problem = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
    (await claviger(["config", "check", "--data-dir", place.path, ...args], { env })).stderr;
  for (const directory of [byFlag, byEnvironment, inData])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const directory of [byFlag, byEnvironment, inData])
    mkdirSync(join(directory, "claviger.yaml"), { recursive: true });
  const env = { CLAVIGER_CONFIG_DIR: byEnvironment };
  expect(await problem(["--config-dir", byFlag], env)).toContain(`${byFlag} because --config-dir says so`);
  expect(await problem([], env)).toContain(`${byEnvironment} because CLAVIGER_CONFIG_DIR says so`);
  expect(await problem([], {})).toContain(
    `${inData} because neither --config-dir nor CLAVIGER_CONFIG_DIR is set`,
  );
});

test("[N3][N12] the configuration directory carries a version; a newer one is refused, naming both", async () => {
  using place = scratch();
  {
    await using server = await serve(place.path);
    await server.kill("SIGTERM");
  }
  const file = join(place.path, "etc", "version");
  expect(readFileSync(file, "utf8")).toBe("1\n");
  writeFileSync(file, "7\n");
  const newer = await claviger(["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"]);
  expect(newer.status).toBe(78);
  expect(newer.stderr).toContain(
    `${file}:1:1: the configuration has version 7; this program knows versions up to 1`,
  );
  writeFileSync(file, "seven\n");
  expect((await claviger(["config", "check", "--data-dir", place.path])).status).toBe(78);
  // What a disk that was full at the first start leaves.
  writeFileSync(file, "");
  await using _again = await serve(place.path);
  expect(readFileSync(file, "utf8")).toBe("1\n");
});

test("[N12] a store of a newer program is refused, naming both versions, and keeps every byte", async () => {
  using place = scratch();
  {
    await using server = await serve(place.path);
    await server.kill("SIGTERM");
  }
  const path = join(place.path, "db", "data.sqlite");
  const store = new DatabaseSync(path, { timeout: 5000 });
  store.exec(
    "INSERT INTO migration SELECT number + 41, name, checksum, applied_at FROM migration WHERE number = 1",
  );
  store.close();
  const before = readFileSync(path);
  const refused = await claviger(["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"]);
  expect(refused.status).toBe(78);
  expect(refused.stderr).toMatch(/The store has version 42; this program knows versions up to \d+\./);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("[N8] every wrong mode is a refusal whose line repairs it, found by doctor and repaired by doctor --fix", async () => {
  using place = scratch();
  {
    await using server = await serve(place.path);
    await server.kill("SIGTERM");
  }
  mkdirSync(join(place.path, "etc", "certs"));
  writeFileSync(join(place.path, "etc", "certs", "claviger.key"), "k", { mode: 0o400 });
  const paths = ["", "db", "secrets", "run", "etc", "secrets/machine.key", "secrets/api_key_secret"];
  const wrong = [...paths, "secrets/jwt_secret", "etc/certs/claviger.key"].map((name) =>
    join(place.path, name),
  );
  const start = () => claviger(["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"]);
  for (const path of wrong) chmodSync(path, 0o755);
  const refused = await start();
  expect(refused.status).toBe(78);
  const repairs = refused.stderr.split("\n").filter((line) => line.startsWith("  chmod "));
  expect(repairs).toHaveLength(wrong.length);
  for (const repair of repairs) execFileSync("sh", ["-c", repair]);
  await expectToStart(place.path);
  for (const path of wrong) chmodSync(path, 0o644 | (path.includes(".") ? 0 : 0o111));
  const doctor = ["doctor", "--json", "--data-dir", place.path];
  const found = await claviger(doctor);
  expect(found.status).toBe(1);
  expect(
    JSON.parse(found.stdout)
      .problems.map(({ path }: { path: string }) => path)
      .sort(),
  ).toEqual(wrong.sort());
  expect((await claviger([...doctor, "--fix"])).status).toBe(0);
  expect(JSON.parse((await claviger(doctor)).stdout)).toEqual({
    ok: true,
    problems: [],
    cluster: null,
    missing_credentials: [],
  });
  await expectToStart(place.path);
});

async function expectToStart(dataDir: string): Promise<void> {
  await using server = await serve(dataDir);
  expect((await server.kill("SIGTERM")).status).toBe(0);
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { claviger, scratch, serve } from "./process.ts";

vi.setConfig({ testTimeout: 60_000 });

const SETTINGS = [
  ["AUTH_COOKIE_SECURE", "auth_cookie_secure", "true", "false"],
  ["REQUIRE_API_KEY", "require_api_key", "true", "false"],
  ["ENABLE_REQUEST_LOGS", "enable_request_logs", "true", "false"],
  ["TRUSTED_PROXIES", "trusted_proxies", "10.0.0.0/8", "192.0.2.1"],
  ["LOG_LEVEL", "log_level", "debug", "error"],
] as const;

test("[N5] every setting goes by its name, by the prefix which wins, as NAME_FILE, and as a systemd credential", async () => {
  using place = scratch();
  const credentials = join(place.root, "credentials");
  mkdirSync(credentials);
  const file = (directory: string, name: string, text: string) => {
    writeFileSync(join(directory, name), `${text}\n`);
    return join(directory, name);
  };
  const ways = [
    SETTINGS.map(([name, , value]) => [name, value]),
    SETTINGS.flatMap(([name, , value, other]) => [
      [`CLAVIGER_${name}`, value],
      [name, other],
    ]),
    SETTINGS.map(([name, , value]) => [`${name}_FILE`, file(place.root, name, value)]),
    SETTINGS.flatMap(([name, , value, other]) => [
      [`CLAVIGER_${name}_FILE`, file(place.root, `p-${name}`, value)],
      [`${name}_FILE`, file(place.root, `b-${name}`, other)],
    ]),
    [["CREDENTIALS_DIRECTORY", credentials]],
  ];
  for (const [name, , value] of SETTINGS) file(credentials, name, value);
  for (const way of ways) {
    const explain = ["config", "check", "--explain", "--json", "--data-dir", place.path];
    const { stdout, stderr } = await claviger(explain, { env: Object.fromEntries(way) });
    const rows: { setting: string; value: string; from: string }[] = JSON.parse(stdout || stderr);
    for (const [, setting, value] of SETTINGS)
      expect(rows.find((row) => row.setting === setting)).toEqual({ setting, value, from: "environment" });
  }
});

test("[N5] a secret that is not the stored one stops the start by name, and the printed command accepts it", async () => {
  using place = scratch();
  const start = ["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"];
  const env = { JWT_SECRET: freshSecret(), CLAVIGER_API_KEY_SECRET: freshSecret() };
  const key = await keyMadeWith(place.path, env);
  for (const name of ["JWT_SECRET", "API_KEY_SECRET"] as const) {
    const variable = name === "API_KEY_SECRET" ? "CLAVIGER_API_KEY_SECRET" : name;
    env[variable] = freshSecret();
    const refused = await claviger(start, { env });
    expect(refused.status).toBe(78);
    const [command = ""] = /claviger doctor --accept-new-secret \w+/.exec(refused.stderr) ?? [];
    expect(command).toBe(`claviger doctor --accept-new-secret ${name}`);
    expect(refused.stderr).not.toContain(env[variable]);
    const accept = await claviger([...command.split(" ").slice(1), "--data-dir", place.path], { env });
    expect(accept.status, accept.stderr).toBe(0);
    await using again = await serve(place.path, { env });
    // What JWT_SECRET signs are sessions; a key depends on API_KEY_SECRET alone.
    expect(await models(again.url, key)).toBe(name === "JWT_SECRET" ? 200 : 401);
    await again.kill("SIGTERM");
  }
});

test("[N5] the secret comes from a file or a systemd credential too, and is the same secret then", async () => {
  using place = scratch();
  const secret = freshSecret();
  const key = await keyMadeWith(place.path, { API_KEY_SECRET: secret });
  writeFileSync(join(place.root, "API_KEY_SECRET"), `${secret}\n`);
  const ways = [
    { API_KEY_SECRET_FILE: join(place.root, "API_KEY_SECRET") },
    { CREDENTIALS_DIRECTORY: place.root },
  ];
  for (const env of ways) {
    await using server = await serve(place.path, { env });
    expect(await models(server.url, key)).toBe(200);
    await server.kill("SIGTERM");
  }
});

test("[N5] secrets under 32 bytes or of the documentation are refused by name; nothing wrong is accepted later", async () => {
  using place = scratch();
  const start = ["serve", "--data-dir", place.path, "--listen", "127.0.0.1:0"];
  const short = freshSecret().slice(0, 31);
  for (const [name, value] of [
    ["JWT_SECRET", short],
    ["API_KEY_SECRET", short],
    ["API_KEY_SECRET", "change-me-change-me-change-me-change-me"],
  ] as const) {
    const refused = await claviger(start, { env: { [name]: value } });
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain(name);
    expect(refused.stderr).not.toContain(value);
  }
  const wrongName = await claviger(["doctor", "--accept-new-secret", "OTHER", "--data-dir", place.path]);
  expect(wrongName.status).toBe(64);
});

test("[N5] unset secrets are made: 256 bits each, and the same at the next start", async () => {
  using place = scratch();
  const read = () =>
    ["jwt_secret", "api_key_secret"].map((name) => readFileSync(join(place.path, "secrets", name), "utf8"));
  const key = await keyMadeWith(place.path, {});
  const made = read();
  for (const text of made) expect(Buffer.from(text, "base64url")).toHaveLength(32);
  expect(new Set(made).size).toBe(2);
  await using again = await serve(place.path);
  expect(read()).toEqual(made);
  expect(await models(again.url, key)).toBe(200);
});

test("[N6] every problem of file, environment and command line is told at once, with place and nearest name, exit 78", async () => {
  using place = scratch();
  const secret = freshSecret();
  const file = join(place.root, "claviger.yaml");
  writeFileSync(
    file,
    `settings:\n  log_levl: info\n  require_api_key: ${secret}\n  api_key_secret: ${secret}\nsetings: {}\n`,
  );
  const env = { LOG_LEVEL: "debgu", CLAVIGER_REDIS_URL: `redis://:${secret}@host` };
  const listen = ["--listen", "0.0.0.0:8441"];
  for (const command of [
    ["serve", "--config", file, ...listen],
    ["config", "check", file],
  ]) {
    const { status, stderr, stdout } = await claviger([...command, "--data-dir", place.path], { env });
    expect(status).toBe(78);
    expect(stderr).toContain(`${file}:2:3: `);
    expect(stderr).toContain('"log_level"');
    expect(stderr).toContain(`${file}:3:20: require_api_key must be true or false`);
    expect(stderr).toContain(`${file}:4:3: `);
    expect(stderr).toContain(`${file}:5:1: `);
    expect(stderr).toContain(
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal (did you mean "debug"?)',
    );
    expect(stderr).toContain("CLAVIGER_REDIS_URL is set");
    expect(stderr.includes("--listen 0.0.0.0:8441")).toBe(command[0] === "serve");
    expect(stderr + stdout).not.toContain(secret);
  }
  const json = await claviger(["config", "check", file, "--json", "--data-dir", place.path], { env });
  const { error } = JSON.parse(json.stderr);
  expect(error.exit_code).toBe(78);
  expect(error.problems).toHaveLength(6);
  expect(error.problems[0]).toMatchObject({ file, line: 2, column: 3 });
});

/** Starts a server with this environment, makes a key, and stops it again. */
async function keyMadeWith(dataDir: string, env: Readonly<Record<string, string>>): Promise<string> {
  await using server = await serve(dataDir, { env });
  const made = await claviger(["api-key", "create", "program", "--json", "--data-dir", dataDir]);
  expect(await models(server.url, JSON.parse(made.stdout).key)).toBe(200);
  await server.kill("SIGTERM");
  return JSON.parse(made.stdout).key;
}

async function models(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  await response.arrayBuffer();
  return response.status;
}

function freshSecret(): string {
  return systemRandom.bytes(32).toString("base64url");
}

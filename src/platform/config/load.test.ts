import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import type { Environment } from "./environment.ts";
import { type ConfigFlags, loadConfig } from "./load.ts";
import { ConfigProblems } from "./problems.ts";
import { SETTINGS } from "./settings.ts";

let homeDir = "";
beforeEach(() => {
  homeDir = mkdtempSync(join(tmpdir(), "claviger-config-"));
});
afterEach(() => rmSync(homeDir, { recursive: true }));

const yamlPath = () => join(homeDir, ".claviger", "etc", "claviger.yaml");
function writeYaml(text: string | Uint8Array): void {
  mkdirSync(join(homeDir, ".claviger", "etc"), { recursive: true });
  writeFileSync(yamlPath(), text);
}
const load = (flags: ConfigFlags = {}, env: Environment = {}) => loadConfig({ flags, env, homeDir });
function refusal(flags: ConfigFlags = {}, env: Environment = {}): ConfigProblems {
  try {
    load(flags, env);
  } catch (error) {
    if (error instanceof ConfigProblems) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}
const places = (problems: ConfigProblems) => problems.problems.map(({ line, column }) => `${line}:${column}`);
const randomText = () => systemRandom.bytes(24).toString("hex");
function writeHome(name: string, text: string): string {
  const path = join(homeDir, name);
  writeFileSync(path, text);
  return path;
}

describe("directories", () => {
  it("[N1] the data directory is ~/.claviger, and flag beats CLAVIGER_DATA_DIR beats DATA_DIR", () => {
    expect(load().dataDir).toBe(join(homeDir, ".claviger"));
    const env = { DATA_DIR: join(homeDir, "a"), CLAVIGER_DATA_DIR: join(homeDir, "b") };
    expect(load({}, { DATA_DIR: env.DATA_DIR }).dataDir).toBe(env.DATA_DIR);
    expect(load({}, env).dataDir).toBe(env.CLAVIGER_DATA_DIR);
    expect(load({ dataDir: join(homeDir, "c", "..", "d") }, env).dataDir).toBe(join(homeDir, "d"));
    expect(load({ dataDir: "some/where" }).dataDir).toBe(join(process.cwd(), "some/where"));
  });

  it("[N3] flag, environment, the package's data directory, then DATA_DIR/etc choose the configuration directory", () => {
    const env = { CLAVIGER_CONFIG_DIR: join(homeDir, "named") };
    expect(load({ configDir: join(homeDir, "flag") }, env)).toMatchObject({
      configDir: join(homeDir, "flag"),
      configDirRule: "flag",
    });
    expect(load({}, env)).toMatchObject({ configDir: env.CLAVIGER_CONFIG_DIR, configDirRule: "environment" });
    expect(load({ dataDir: "/var/lib/claviger" })).toMatchObject({
      configDir: "/etc/claviger",
      configDirRule: "package",
    });
    expect(load({}, { CONFIG_DIR: "/elsewhere" })).toMatchObject({
      configDir: join(homeDir, ".claviger", "etc"),
      configDirRule: "data-dir",
    });
  });

  it("[N3] a path problem says which rule chose the directory", () => {
    const path = writeHome("plain", "");
    expect(refusal({ configDir: path }).message).toContain("because --config-dir says so");
    expect(refusal({}, { CLAVIGER_CONFIG_DIR: path }).message).toContain(
      "because CLAVIGER_CONFIG_DIR says so",
    );
    expect(refusal({ configDir: path }).problems).toHaveLength(1);
    mkdirSync(yamlPath(), { recursive: true });
    expect(refusal().message).toContain("because neither --config-dir nor CLAVIGER_CONFIG_DIR is set");
  });

  it("[N3] an empty or unusable directory is a problem", () => {
    expect(refusal({ dataDir: "" }).message).toContain("--data-dir is empty");
    expect(refusal({ dataDir: writeHome("plain", "") }).message).toContain("is not a directory");
  });
});

describe("the file", () => {
  it("[N6] a missing, an empty and a comment-only file all mean the defaults", () => {
    expect(load()).toMatchObject({ configFile: undefined, settings: { log_level: "info" } });
    for (const text of ["", "# nothing\n", "settings:\n", "\ufeffsettings: {}\n"]) {
      writeYaml(text);
      const loaded = load();
      expect(loaded.configFile).toBe(yamlPath());
      expect(new Set(loaded.origins.values())).toEqual(new Set(["default"]));
    }
  });

  it("[N6] --config names another file, which must be there", () => {
    const path = writeHome("other.yaml", "settings: { log_level: warn }");
    expect(load({ config: path })).toMatchObject({ configFile: path, settings: { log_level: "warn" } });
    expect(refusal({ config: join(homeDir, "none.yaml") }).message).toContain(
      "none.yaml:1:1: the file does not exist",
    );
    mkdirSync(join(homeDir, ".claviger", "etc"), { recursive: true });
    symlinkSync("nowhere", yamlPath());
    expect(refusal().message).toContain("does not exist");
  });

  it("[N6] reads every kind of value", () => {
    writeYaml(`settings:
  log_level: debug
  require_api_key: true
  trusted_proxies: [10.0.0.0/8, "fd00::1"]
  allowed_hosts: "Box.local, nas"
  allowed_origins: [https://app.example:8443]
  gateway_body_limit_bytes: 1024
`);
    expect(load().settings).toMatchObject({
      log_level: "debug",
      require_api_key: true,
      trusted_proxies: ["10.0.0.0/8", "fd00::1"],
      allowed_hosts: ["box.local", "nas"],
      allowed_origins: ["https://app.example:8443"],
      gateway_body_limit_bytes: 1024,
      drain_timeout_ms: 10000,
    });
  });

  const MALFORMED: readonly [string, string | Uint8Array, string, string][] = [
    ["a list at the root", "- a\n- b\n", "1:1", "must be a mapping"],
    ["text at the root", "hello\n", "1:1", "must be a mapping"],
    ["an unknown section", "setings:\n", "1:1", 'did you mean "settings"?'],
    ["a setting at the root", "log_level: info\n", "1:1", "log_level belongs under settings:"],
    ["an unknown setting", "settings:\n  log_levle: info\n", "2:3", 'did you mean "log_level"?'],
    ["an unlike setting", "settings:\n  zzzzzzzzzzzz: 1\n", "2:3", "known: log_level, "],
    ["settings as a list", "settings:\n  - log_level\n", "2:3", "must be a mapping"],
    ["a key twice", "settings:\n  log_level: info\n  log_level: warn\n", "3:3", "second time"],
    ["a section twice", "settings: {}\nsettings: {}\n", "2:1", "second time"],
    ["a tab", "settings:\n\tlog_level: info\n", "2:1", "use spaces"],
    ["a second document", "settings: {}\n---\nsettings: {}\n", "2:1", "one document"],
    ["an open bracket", "settings: [\n", "2:1", "bracket is not closed"],
    ["an unknown tag", "settings: !thing {}\n", "1:11", "tag is not known"],
    ["an alias without anchor", "settings: *none\n", "1:11", "no anchor"],
    ["a wrong word", "settings:\n  log_level: debg\n", "2:14", 'did you mean "debug"?'],
    ["an empty value", "settings:\n  log_level:\n", "2:13", "must be one of"],
    ["yes for true", "settings:\n  require_api_key: yes\n", "2:20", "true or false"],
    ["text for a number", "settings:\n  drain_timeout_ms: 10s\n", "2:21", "whole number"],
    ["a number too small", "settings:\n  gateway_body_limit_bytes: 1023\n", "2:29", "from 1024"],
    ["a number too large", "settings:\n  gateway_body_limit_bytes: 1073741825\n", "2:29", "to 1073741824"],
    ["a fraction", "settings:\n  drain_timeout_ms: 1.5\n", "2:21", "whole number"],
    [
      "a wrong proxy in a list",
      "settings:\n  trusted_proxies:\n    - 10.0.0.1\n    - 10.0.0.0/33\n",
      "4:7",
      "CIDR",
    ],
    ["a wildcard origin", 'settings:\n  allowed_origins: ["*"]\n', "2:21", "never *"],
    ["an origin with a path", "settings:\n  allowed_origins: [https://a.example/]\n", "2:21", "exact"],
    ["a host with a port", "settings:\n  allowed_hosts: [box:80]\n", "2:19", "without port"],
    ["a mapping for a list", "settings:\n  allowed_hosts: { a: b }\n", "2:18", "a list"],
    ["bytes that are not UTF-8", Uint8Array.of(0x73, 0xff, 0xfe), "1:1", "not UTF-8"],
    ["more than 1 MiB", `#${"x".repeat(1048576)}`, "1:1", "larger than 1048576"],
    ["bottomless nesting", `settings: ${"[".repeat(200000)}`, "1:801", "nested too deeply"],
    ["too many aliases", `settings: &a {}\nx: [${"*a, ".repeat(60)}]\n`, "2:205", "more than 50 aliases"],
    [
      "aliases that multiply",
      `a: &a [x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nsettings: [*c,*c,*c]\n`,
      "1:1",
      "unfold to too much",
    ],
  ];
  it.each(MALFORMED)("[N6] refuses %s, with its place", (_, text, place, words) => {
    writeYaml(text);
    const found = refusal();
    expect(found.exitCode).toBe(78);
    expect(places(found)).toContain(place);
    const message = found.problems.find(({ line, column }) => `${line}:${column}` === place)?.message;
    expect(message).toContain(words);
    expect(found.message).toContain(`${yamlPath()}:${place}: `);
  });

  it("[N6] reports the problems of file, environment and command line all at once", () => {
    writeYaml("settings:\n  log_levl: x\n  require_api_key: 7\nother: 1\nsettings: 2\n");
    const found = refusal(
      { listen: ["nonsense", "0.0.0.0:1"], settings: { drain_timeout_ms: "soon" } },
      { LOG_LEVEL: "loud", TRUSTED_PROXIES: "10.0.0.1,elsewhere" },
    );
    expect(places(found).filter((place) => place !== "0:0")).toEqual(["2:3", "3:20", "4:1", "5:1", "5:11"]);
    expect(found.message).toContain("environment: LOG_LEVEL must be one of");
    expect(found.message).toContain("environment: TRUSTED_PROXIES must be a list");
    expect(found.message).toContain("command line: --drain-timeout-ms must be");
    expect(found.problems).toHaveLength(10);
  });

  it("[N6] echoes no secret, wherever one was put by mistake", () => {
    const secret = randomText();
    const texts = [
      `settings:\n  log_level: ${secret}\n`,
      `settings:\n  ${secret}: x\n`,
      `settings:\n  jwt_secret: ${secret}\n`,
      `settings:\n  API_KEY_SECRET: ${secret}\n`,
      `settings:\n  trusted_proxies: [${secret}]\n`,
      `${secret}: x\n`,
      `${secret}\n`,
      `settings: *${secret}\n`,
      `settings: !${secret} x\n`,
      `settings: {}\n} ${secret}\n`,
      `settings: "${secret}\n`,
      `settings: '${secret}' ${secret}\n`,
      `%${secret} 1\n---\nsettings: {}\n`,
    ];
    for (const text of texts) {
      writeYaml(text);
      const found = refusal();
      expect(`${found.message}${JSON.stringify(found.problems)}${found.stack}`).not.toContain(secret);
    }
    rmSync(yamlPath());
    const env = {
      LOG_LEVEL: secret,
      CLAVIGER_DATABASE_URL: `postgres://u:${secret}@h/d`,
      JWT_SECRET: secret,
    };
    const found = refusal({}, { ...env, JWT_SECRET_FILE: "/x" });
    expect(found.problems).toHaveLength(3);
    expect(found.message).not.toContain(secret);
  });
});

describe("precedence", () => {
  it("[N5] flag beats environment beats file beats default, and the winner is known", () => {
    writeYaml("settings:\n  log_level: warn\n  require_api_key: true\n  drain_timeout_ms: 5\n");
    const env = { LOG_LEVEL: "error", REQUIRE_API_KEY: "false" };
    const { settings, origins } = load({ settings: { log_level: "trace" } }, env);
    expect(settings).toMatchObject({ log_level: "trace", require_api_key: false, drain_timeout_ms: 5 });
    expect(Object.fromEntries(origins)).toMatchObject({
      log_level: "flag",
      require_api_key: "environment",
      drain_timeout_ms: "file",
      allow_plain_http: "default",
    });
    expect([...origins.keys()].sort()).toEqual(SETTINGS.map(({ key }) => key).sort());
  });

  it.each([
    ["LOG_LEVEL", "fatal", "log_level", "fatal"],
    ["ENABLE_REQUEST_LOGS", "1", "enable_request_logs", true],
    ["REQUIRE_API_KEY", "TRUE", "require_api_key", true],
    ["AUTH_COOKIE_SECURE", "true", "auth_cookie_secure", true],
    ["TRUSTED_PROXIES", "10.0.0.1, fd00::/8", "trusted_proxies", ["10.0.0.1", "fd00::/8"]],
  ] as const)("[N5] %s is read bare, prefixed, from a file and as a systemd credential", (name, text, key, value) => {
    const path = writeHome(name, `${text}\n`);
    writeHome(`CLAVIGER_${name}`, `${text}\n`);
    const envs = [
      { [name]: text },
      { [`CLAVIGER_${name}`]: text, [name]: "wrong, but overruled" },
      { [`${name}_FILE`]: path },
      { [`CLAVIGER_${name}_FILE`]: path, [name]: "wrong, but overruled" },
      { CREDENTIALS_DIRECTORY: homeDir },
    ];
    for (const env of envs) {
      const loaded = load({}, env);
      expect(loaded.settings[key]).toEqual(value);
      expect(loaded.origins.get(key)).toBe("environment");
    }
  });

  it("[N5] a value beside its _FILE, a missing and an empty file are problems; empty counts as unset", () => {
    const path = writeHome("level", "info\n");
    expect(refusal({}, { LOG_LEVEL: "info", LOG_LEVEL_FILE: path }).message).toContain("are both set");
    expect(load({}, { CLAVIGER_LOG_LEVEL: "warn", LOG_LEVEL_FILE: path }).settings.log_level).toBe("warn");
    expect(refusal({}, { JWT_SECRET_FILE: join(homeDir, "none") }).message).toContain("does not exist");
    expect(refusal({}, { JWT_SECRET_FILE: writeHome("empty", "\n") }).message).toContain("is empty");
    expect(load({}, { LOG_LEVEL: "" }).origins.get("log_level")).toBe("default");
  });

  it("[N5] secrets come from the environment alone, losing one newline at most, and do not print", () => {
    const secret = randomText();
    const { secrets } = load(
      {},
      { INITIAL_PASSWORD_FILE: writeHome("password", `${secret} \n\n`), JWT_SECRET: secret },
    );
    expect(secrets.get("INITIAL_PASSWORD")?.expose()).toBe(`${secret} \n`);
    expect(secrets.get("JWT_SECRET")?.expose()).toBe(secret);
    expect(secrets.has("API_KEY_SECRET")).toBe(false);
    expect(JSON.stringify([...secrets])).not.toContain(secret);
    writeYaml("settings:\n  jwt_secret: x\n");
    expect(refusal().message).toContain("JWT_SECRET is a secret and has no place in this file");
  });

  it("[N5] CLAVIGER_DATABASE_URL and CLAVIGER_REDIS_URL are refused; their bare names mean other programs", () => {
    const url = `redis://${randomText()}`;
    expect(refusal({}, { CLAVIGER_DATABASE_URL: url }).message).toContain("CLAVIGER_DATABASE_URL is set");
    expect(refusal({}, { CLAVIGER_REDIS_URL: url }).message).toContain("CLAVIGER_REDIS_URL is set");
    expect(load({}, { DATABASE_URL: url, REDIS_URL: url }).settings.log_level).toBe("info");
  });
});

describe("listening", () => {
  it("[N4] without --listen it is 8441 on both loopback addresses", () => {
    expect(load().listen).toEqual([
      { host: "127.0.0.1", port: 8441 },
      { host: "::1", port: 8441 },
    ]);
  });

  it("[N4] plain HTTP beyond loopback is refused until the file says allow_plain_http: true", () => {
    const flags = { listen: ["0.0.0.0:8441", "[::]:0"] };
    expect(refusal(flags).problems).toHaveLength(2);
    expect(refusal(flags).message).toContain("allow_plain_http: true");
    expect(refusal(flags, { ALLOW_PLAIN_HTTP: "true" }).exitCode).toBe(78);
    expect(refusal({ ...flags, settings: { allow_plain_http: "true" } }).exitCode).toBe(78);
    writeYaml("settings:\n  allow_plain_http: true\n");
    expect(load(flags).listen).toEqual([
      { host: "0.0.0.0", port: 8441 },
      { host: "::", port: 0 },
    ]);
  });
});

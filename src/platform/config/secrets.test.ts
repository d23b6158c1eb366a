import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StartError } from "#platform/lib/error.ts";
import { fingerprint } from "#platform/lib/fingerprint.ts";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { createLayout } from "./layout.ts";
import {
  loadAuditSecret,
  loadProcessSecrets,
  PROCESS_SECRETS,
  readAuditSecret,
  verifyFingerprints,
} from "./secrets.ts";
import type { SecretName } from "./settings.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-secrets-"));
  createLayout({ dataDir, configDir: join(dataDir, "etc"), configDirRule: "data-dir" });
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const load = (given: ReadonlyMap<SecretName, Secret> = new Map(), seed = 7) =>
  loadProcessSecrets({ given, dataDir, random: seededRandom(seed) });
const fresh = (seed: number) => seededRandom(seed).bytes(32).toString("base64url");

describe("process secrets", () => {
  it("[N2][N5] unset ones are made once: 256 bits, 0400, nothing else left behind", () => {
    const made = load();
    expect(readdirSync(join(dataDir, "secrets")).sort()).toEqual(["api_key_secret", "jwt_secret"]);
    for (const name of PROCESS_SECRETS) {
      const path = join(dataDir, "secrets", name.toLowerCase());
      expect(statSync(path).mode & 0o777).toBe(0o400);
      const text = readFileSync(path, "utf8");
      expect(Buffer.from(text, "base64url")).toHaveLength(32);
      expect(made.get(name)?.expose()).toBe(text);
    }
    expect(made.get("JWT_SECRET")?.expose()).not.toBe(made.get("API_KEY_SECRET")?.expose());
    expect(load(new Map(), 8).get("JWT_SECRET")?.expose()).toBe(made.get("JWT_SECRET")?.expose());
  });

  it("[N5] the environment's wins over the file and writes none", () => {
    const given = new Secret(fresh(3));
    expect(load(new Map([["JWT_SECRET", given]])).get("JWT_SECRET")).toBe(given);
    expect(readdirSync(join(dataDir, "secrets"))).toEqual(["api_key_secret"]);
  });

  it("[N5] under 32 bytes is refused, from environment and file, without showing it", () => {
    const short = fresh(4).slice(0, 31);
    const refuse = () => load(new Map([["JWT_SECRET", new Secret(short)]]));
    expect(refuse).toThrow(StartError);
    expect(refuse).toThrow(/^JWT_SECRET is under 32 bytes/);
    expect(refuse).not.toThrow(short);
    expect(() => load(new Map([["JWT_SECRET", new Secret(`${short}x`)]]))).not.toThrow();
    rmSync(join(dataDir, "secrets", "api_key_secret"));
    writeFileSync(join(dataDir, "secrets", "api_key_secret"), `${short}\n`);
    expect(() => load()).toThrow(/api_key_secret is under 32 bytes/);
  });

  it.each([
    "change-me",
    "CHANGE_ME",
    "your secret key",
    "replace-with",
    "example",
    "keyboard cat",
  ])("[N5] a documented example (%s) is refused however long", (phrase) => {
    const given = new Map<SecretName, Secret>([["API_KEY_SECRET", new Secret(`${phrase} ${fresh(5)}`)]]);
    expect(() => load(given)).toThrow(/API_KEY_SECRET is a documented example/);
  });
});

describe("fingerprints", () => {
  it("[N5] a secret that does not match stops the start, naming it and the command; new ones are handed back", () => {
    const secrets = load();
    const missing = verifyFingerprints({ stored: new Map(), secrets });
    expect([...missing.keys()]).toEqual([...PROCESS_SECRETS]);
    expect(verifyFingerprints({ stored: missing, secrets }).size).toBe(0);
    const other = new Map(secrets).set("JWT_SECRET", new Secret(fresh(6)));
    const verify = () => verifyFingerprints({ stored: missing, secrets: other });
    expect(verify).toThrow(StartError);
    expect(verify).toThrow("claviger doctor --accept-new-secret JWT_SECRET");
    expect(verify).not.toThrow("API_KEY_SECRET");
    expect(verify).not.toThrow(fresh(6));
  });

  it("[N5] depend on name and secret, and are 16 bytes in hexadecimal", () => {
    const secret = new Secret(fresh(1));
    expect(fingerprint("A", secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprint("A", secret)).toBe(fingerprint("A", new Secret(fresh(1))));
    expect(fingerprint("A", secret)).not.toBe(fingerprint("B", secret));
    expect(fingerprint("A", secret)).not.toBe(fingerprint("A", new Secret(fresh(2))));
  });
});

describe("docs/settings.md", () => {
  it("is what the table of settings says", () => {
    const tool = fileURLToPath(new URL("../../../tools/generate-settings-doc.ts", import.meta.url));
    const run = spawnSync(process.execPath, [tool, "--check"], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
  });
});

describe("the audit's secret", () => {
  const path = () => join(dataDir, "secrets", "audit_secret");
  const loadAudit = (seed: number) => loadAuditSecret({ dataDir, random: seededRandom(seed) }).expose();

  it("[N2] [W1] is made once, 256 bits in a file of mode 0400, and read without being made", () => {
    expect(readAuditSecret(dataDir)).toBeUndefined();
    const made = loadAudit(1);
    expect(Buffer.from(made, "base64url")).toHaveLength(32);
    expect(statSync(path()).mode & 0o777).toBe(0o400);
    expect([loadAudit(2), readAuditSecret(dataDir)?.expose()]).toEqual([made, made]);
    expect(readdirSync(join(dataDir, "secrets"))).toEqual(["audit_secret"]);
  });

  it("is refused when it is short", () => {
    writeFileSync(path(), fresh(4).slice(0, 31));
    expect(() => loadAudit(1)).toThrow(/audit_secret is under 32 bytes/);
  });
});

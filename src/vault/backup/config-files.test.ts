import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfigEntries } from "./config-files.ts";

test("[S14] of the configuration files alone are taken: a pipe is not waited for, and a directory is no error", async () => {
  using place = mkdtempDisposableSync(join(tmpdir(), "claviger-backup-"));
  const configDir = place.path;
  const credentials = join(configDir, "credentials");
  mkdirSync(join(credentials, "old"), { recursive: true });
  execFileSync("mkfifo", [join(credentials, "pin_hash")]);
  writeFileSync(join(credentials, "node.key"), "a key");
  writeFileSync(join(configDir, "claviger.yaml"), "version: 1\n");
  const entries = await readConfigEntries({ configDir, configFile: undefined });
  expect(entries.map(({ name, size }) => [name, size])).toEqual([
    ["etc/claviger.yaml", 11],
    ["etc/credentials/node.key", 5],
  ]);
});

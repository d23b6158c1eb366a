import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StartError } from "#platform/lib/error.ts";
import { createLayout, type LayoutConfig } from "./layout.ts";
import { checkModes, refuseWrongModes, repairModes } from "./modes.ts";

const uid = process.geteuid?.() ?? 0;
let home = "";
let config: LayoutConfig;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "claviger modes-"));
  const dataDir = join(home, "data");
  config = { dataDir, configDir: join(dataDir, "etc"), configDirRule: "data-dir" };
});
afterEach(() => rmSync(home, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;
function refusal(): string {
  try {
    refuseWrongModes(config, { uid });
  } catch (error) {
    if (error instanceof StartError && error.exitCode === 78) return error.message;
    throw error;
  }
  return "";
}
function place(directory: string, name: string, mode: number): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  writeFileSync(path, "x");
  chmodSync(path, mode);
  return path;
}

describe("createLayout", () => {
  it("[N1][N2][N8] makes every directory 0700, whatever the umask, and finds nothing wrong with it", () => {
    const before = process.umask(0);
    try {
      createLayout(config);
    } finally {
      process.umask(before);
    }
    for (const name of ["", "db", "secrets", "run", "etc"])
      expect(modeOf(join(config.dataDir, name))).toBe(0o700);
    expect(checkModes(config, { uid })).toEqual([]);
    createLayout(config);
    expect(refusal()).toBe("");
  });

  it("[N1] takes over an empty directory and one with a configuration prepared in it", () => {
    mkdirSync(config.configDir, { recursive: true });
    chmodSync(config.dataDir, 0o755);
    chmodSync(config.configDir, 0o755);
    writeFileSync(join(config.configDir, "claviger.yaml"), "");
    createLayout(config);
    expect(modeOf(config.dataDir)).toBe(0o700);
    expect(refusal()).toBe("");
  });

  it("[N8] does not close a directory that holds other files, and does not quietly repair its own", () => {
    place(config.dataDir, "letters.txt", 0o644);
    chmodSync(config.dataDir, 0o755);
    expect(() => createLayout(config)).toThrow(/holds other files/);
    expect(modeOf(config.dataDir)).toBe(0o755);
    rmSync(config.dataDir, { recursive: true });
    createLayout(config);
    chmodSync(config.dataDir, 0o755);
    createLayout(config);
    expect(modeOf(config.dataDir)).toBe(0o755);
  });

  it("[N8] refuses a data directory that is a symbolic link, naming the target", () => {
    mkdirSync(join(home, "real"));
    symlinkSync(join(home, "real"), config.dataDir);
    expect(() => createLayout(config)).toThrow(`--data-dir '${join(home, "real")}'`);
  });
});

describe("modes", () => {
  beforeEach(() => createLayout(config));

  it.each([
    ["secrets", "jwt_secret", 0o640, "0400"],
    ["secrets", "machine.key", 0o600, "0400"],
    ["etc/certs", "claviger.key", 0o644, "0400"],
    ["etc/certs", ".pfx_password", 0o600, "0400"],
    ["etc/certs", "claviger.crt", 0o666, "0644"],
  ])("[N8] %s/%s with a wrong mode refuses the start; the printed line repairs it", (directory, name, mode, wanted) => {
    const path = place(join(config.dataDir, directory), name, mode);
    const message = refusal();
    expect(message).toContain(`  chmod ${wanted} '${path}'`);
    const line = message.split("\n").at(-1) ?? "";
    execFileSync("/bin/sh", ["-c", line]);
    expect(refusal()).toBe("");
  });

  it.each(["", "db", "secrets", "run", "etc"])("[N8] a directory open to others is refused: %j", (name) => {
    const path = join(config.dataDir, name);
    chmodSync(path, 0o750);
    expect(checkModes(config, { uid })).toEqual([
      {
        kind: "mode",
        path,
        found: "0750",
        wanted: "0700",
        repair: `chmod 0700 '${path}'`,
        stopsStart: true,
      },
    ]);
    expect(repairModes(config, { uid })).toEqual([]);
    expect(modeOf(path)).toBe(0o700);
  });

  it("[N8] files Claviger did not make are not judged", () => {
    place(config.configDir, "claviger.yaml", 0o644);
    place(join(config.configDir, "certs"), "other.pem", 0o666);
    place(config.dataDir, "notes", 0o666);
    expect(refusal()).toBe("");
    config = { ...config, configDir: join(home, "mounted"), configDirRule: "flag" };
    mkdirSync(config.configDir, { mode: 0o755 });
    expect(refusal()).toBe("");
  });

  it("[N8] a directory replaced by a link is refused and not repaired by itself; the printed line does", () => {
    const secrets = join(config.dataDir, "secrets");
    renameSync(secrets, join(home, "moved"));
    symlinkSync(join(home, "moved"), secrets);
    const [wrong] = repairModes(config, { uid });
    expect(wrong).toMatchObject({ kind: "type", found: "symbolic link", wanted: "directory" });
    expect(refusal()).toContain("symbolic link");
    execFileSync("/bin/sh", ["-c", wrong?.repair ?? "false"]);
    expect(refusal()).toBe("");
    expect(existsSync(join(home, "moved"))).toBe(false);
  });

  it.each([
    0o000, 0o440, 0o666,
  ])("[N8] [C12] a credential of mode %o is named and repaired, but stops no start", (mode) => {
    const path = place(join(config.configDir, "credentials"), "pin_hash", mode);
    expect(refusal()).toBe("");
    expect(checkModes(config, { uid })).toMatchObject([{ path, wanted: "0400", stopsStart: false }]);
    expect(repairModes(config, { uid })).toEqual([]);
    expect(modeOf(path)).toBe(0o400);
  });

  it("[N8] [C12] credentials that are a link are named, but stop no start", () => {
    mkdirSync(join(home, "elsewhere"), { mode: 0o700 });
    symlinkSync(join(home, "elsewhere"), join(config.configDir, "credentials"));
    expect(refusal()).toBe("");
    expect(checkModes(config, { uid })).toMatchObject([{ kind: "type", stopsStart: false }]);
  });

  it("[N8] what belongs to another user is named with its chown line", () => {
    const found = checkModes(config, { uid: uid + 1 });
    const expected = uid === 0 ? 1 : uid + 1;
    expect(found.map(({ kind }) => kind)).toEqual(Array(5).fill("owner"));
    expect(found[0]).toMatchObject({ repair: `chown ${expected} '${config.dataDir}'`, stopsStart: true });
  });

  it.runIf(uid === 0)("[N8] root checks against the owner of the data directory, and repairs to it", () => {
    chownSync(config.dataDir, 4321, 4321);
    expect(checkModes(config, { uid: 0 })).toHaveLength(4);
    expect(repairModes(config, { uid: 0 })).toEqual([]);
    expect(statSync(join(config.dataDir, "secrets")).uid).toBe(4321);
  });
});

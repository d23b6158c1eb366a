import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { claviger, type Ended, scratch } from "../start/process.ts";

vi.setConfig({ testTimeout: 60_000 });

const TEXT =
  "# mine\nsettings:\n  workers: 2 # two\nresources:\n  a: { resource_type: PermissionSet, allow: [] }\n";

/** A configuration directory with this file, and the command on it. */
function place(text: string): Disposable & {
  dir: string;
  file: string;
  set(name: string, value: string, env?: Record<string, string>): Promise<Ended>;
} {
  const made = scratch();
  mkdirSync(made.path);
  const file = join(made.path, "claviger.yaml");
  writeFileSync(file, text);
  return {
    dir: made.path,
    file,
    set: (name, value, env = {}) =>
      claviger(["config", "set", name, value, "--config-dir", made.path], { env }),
    [Symbol.dispose]: () => made[Symbol.dispose](),
  };
}

test("config set changes the setting alone, through a link, and keeps mode and owner", async () => {
  using conf = place("");
  const target = join(conf.dir, "kept.yaml");
  writeFileSync(target, TEXT);
  chmodSync(target, 0o664);
  if (process.getuid?.() === 0) chownSync(target, 12345, 54321);
  const before = statSync(target);
  const linked = join(conf.dir, "linked");
  mkdirSync(linked);
  symlinkSync(target, join(linked, "claviger.yaml"));
  const ended = await claviger([
    "config",
    "set",
    "settings.allowed_hosts",
    "Box, nas",
    "--config-dir",
    linked,
  ]);
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  expect(readFileSync(target, "utf8")).toBe(
    TEXT.replace("# two\n", '# two\n  allowed_hosts: ["box","nas"]\n'),
  );
  const after = statSync(target);
  expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
  expect(readdirSync(conf.dir).sort()).toEqual(["claviger.yaml", "kept.yaml", "linked"]);
});

test("config set says when the environment beats the file", async () => {
  using conf = place(TEXT);
  const ended = await conf.set("log_level", "warn", { LOG_LEVEL: "error" });
  expect([ended.status, ended.stderr]).toEqual([
    0,
    "the environment sets log_level too, and beats the file\n",
  ]);
  expect(readFileSync(conf.file, "utf8")).toContain("\n  log_level: warn\n");
});

test.each([
  ["a name that is none", TEXT, "log_levle", "warn", EXIT.usage, 'did you mean "log_level"?'],
  ["a value that is none", TEXT, "log_level", "loud", EXIT.refusedValue, "log_level must be one of trace,"],
  [
    "a file with a problem",
    `${TEXT}  b: { resource_type: Nothing }\n`,
    "log_level",
    "warn",
    EXIT.configuration,
    "claviger.yaml:7:23:",
  ],
  [
    "a form it does not know",
    "settings: &s {}\nx: *s\n",
    "log_level",
    "warn",
    EXIT.failed,
    "write it there yourself",
  ],
])("config set refuses %s and changes nothing", async (_, text, name, value, status, words) => {
  using conf = place(text);
  const ended = await conf.set(name, value);
  expect(ended.stderr).toContain(words);
  expect(ended.status).toBe(status);
  expect(readFileSync(conf.file, "utf8")).toBe(text);
  expect(readdirSync(conf.dir)).toEqual(["claviger.yaml"]);
});

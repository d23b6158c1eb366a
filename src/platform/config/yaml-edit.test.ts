import { expect, it } from "vitest";
import { setInYaml } from "./yaml-edit.ts";

const level = (text: string, value: unknown = "warn") =>
  setInYaml(text, { section: "settings", key: "log_level", value });

const NASTY = `# top: { settings: [
# 'quoted "comment
resources:   # trailing  
    a: {resource_type: PermissionSet,   allow: [ "gateway.use:a#b" ,models.read ]}   # odd   spaces
    # settings: {log_level: no}
    'b' :
      resource_type:    PermissionSet
      allow:
      - "*.read"   # not indented

"settings" :      # why
   require_api_key :   true     # wanted by Ann
   # the level: chosen in June
   log_level: 'debug'   # 'debug' until it is found: #12
   allowed_hosts:
       - box   # one
       # two
       - nas


# the end, without a line break`;

it("replaces one value of a nasty file and nothing else", () => {
  expect(level(NASTY)).toBe(NASTY.replace("log_level: 'debug'   #", "log_level: warn   #"));
  expect(level(NASTY.replaceAll("\n", "\r\n"))).toBe(
    NASTY.replace("log_level: 'debug'   #", "log_level: warn   #").replaceAll("\n", "\r\n"),
  );
});

it("adds a value behind the last of its section, with that one's indentation", () => {
  const added = setInYaml(NASTY, { section: "settings", key: "workers", value: 4 });
  expect(added).toBe(NASTY.replace("- nas\n", "- nas\n   workers: 4\n"));
});

it.each([
  ["", "settings:\n  log_level: warn\n"],
  ["# only this", "# only this\nsettings:\n  log_level: warn\n"],
  ["resources:\n  a: b", "resources:\n  a: b\nsettings:\n  log_level: warn\n"],
  ["settings:\n", "settings:\n  log_level: warn\n"],
  ["settings: # c\n  # log_level: x\nx: 1\n", "settings: # c\n  log_level: warn\n  # log_level: x\nx: 1\n"],
  ["settings: {}\n", "settings: { log_level: warn }\n"],
  ["settings: {workers: 2} # c\n", "settings: {workers: 2, log_level: warn} # c\n"],
  ["settings: {log_level: info, workers: 2}\n", "settings: {log_level: warn, workers: 2}\n"],
  ["{settings: {log_level: info}}", "{settings: {log_level: warn}}"],
  ["{resources: {}}", "{resources: {}, settings: { log_level: warn }}"],
  ["settings:\n  log_level:\n  workers: 2\n", "settings:\n  log_level: warn\n  workers: 2\n"],
  ['settings:\n\n  "log_level" : >-\n    info\n', 'settings:\n\n  "log_level" : warn\n'],
  ["settings:\n  workers: 2", "settings:\n  workers: 2\n  log_level: warn"],
])("sets in %j", (text, expected) => {
  expect(level(text)).toBe(expected);
});

it("writes lists, and texts that would be read as something else, as JSON", () => {
  expect(level("settings:\n  log_level: x\n", ["a", "b"])).toBe('settings:\n  log_level: ["a","b"]\n');
  expect(level("settings:\n  log_level: x\n", "true")).toBe('settings:\n  log_level: "true"\n');
  expect(level("settings:\n  log_level:\n    - a\n    - b\n", [])).toBe("settings:\n  log_level:\n    []\n");
});

it.each([
  ["a value that another place shares", "settings:\n  log_level: &level info\nx: *level\n"],
  ["a section that another place shares", "x: &all { workers: 2 }\nsettings: *all\n"],
  ["a document that ends", "x: 1\n...\n"],
  ["no mapping", "- a\n"],
  ["what is no YAML", "settings: [\n"],
])("gives nothing for %s", (_, text) => {
  expect(level(text)).toBeUndefined();
});

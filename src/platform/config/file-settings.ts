import type { Problem } from "./problems.ts";
import { readYamlValue } from "./setting-value.ts";
import { SECRET_VARIABLES, SETTINGS, type SettingKey } from "./settings.ts";
import { suggestion } from "./suggestion.ts";
import type { YamlEntry, YamlFile } from "./yaml-file.ts";

/** The settings of a file, checked one by one; what is wrong goes to `problems`. */
export function settingsOfFile(yaml: YamlFile, problems: Problem[]): Map<SettingKey, unknown> {
  const values = new Map<SettingKey, unknown>();
  for (const entry of yaml.entries) {
    if (entry.key === "resources") continue;
    if (entry.key !== "settings") {
      problems.push(yaml.problem(entry.offset, unknownTopLevel(entry.key)));
    } else if (entry.children === undefined) {
      problems.push(yaml.problem(entry.valueOffset, "settings must be a mapping of setting to value"));
    } else {
      for (const child of entry.children) readFileSetting(yaml, child, values, problems);
    }
  }
  return values;
}

function unknownTopLevel(key: string): string {
  if (SETTINGS.some((setting) => setting.key === key)) return `${key} belongs under settings:`;
  return `this is not a section${suggestion(key, ["settings", "resources"])}`;
}

function readFileSetting(
  yaml: YamlFile,
  entry: YamlEntry,
  values: Map<SettingKey, unknown>,
  problems: Problem[],
): void {
  const setting = SETTINGS.find(({ key }) => key === entry.key);
  if (setting === undefined) {
    problems.push(yaml.problem(entry.offset, unknownSetting(entry.key)));
    return;
  }
  const read = readYamlValue(setting, entry.value);
  if (read.ok) values.set(setting.key, read.value);
  else problems.push(yaml.problem(entry.offsetOf(read.path), read.message));
}

function unknownSetting(key: string): string {
  const variable = SECRET_VARIABLES.find(({ name }) => name.toLowerCase() === key.toLowerCase());
  if (variable)
    return `${variable.name} is a secret and has no place in this file; set it in the environment`;
  const keys = SETTINGS.map((setting) => setting.key);
  return `this is not a setting${suggestion(key, keys)}`;
}

import { nearestName } from "#platform/lib/nearest-name.ts";
import type { Setting } from "./settings.ts";

export type ReadSetting =
  | { readonly ok: true; readonly value: unknown }
  /** `path` leads to the wrong element of a list; `message` does not repeat the value. */
  | { readonly ok: false; readonly message: string; readonly path: readonly PropertyKey[] };

/** A setting from the text of a flag or variable; `name` is what the message calls it. */
export function readText(setting: Setting, text: string, name: string): ReadSetting {
  return check(setting, fromText(setting, text), name);
}

/** A setting from a parsed YAML value; a list may also be written as one text with commas. */
export function readYamlValue(setting: Setting, value: unknown): ReadSetting {
  const list = setting.form === "list" && typeof value === "string";
  return check(setting, list ? fromText(setting, value) : value, setting.key);
}

function fromText({ form }: Setting, text: string): unknown {
  const trimmed = text.trim();
  switch (form) {
    case "boolean": {
      const word = trimmed.toLowerCase();
      if (word === "true" || word === "1") return true;
      return word === "false" || word === "0" ? false : trimmed;
    }
    case "integer":
      return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
    case "list":
      return trimmed
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
    case "word":
    case "table":
      return trimmed;
    default:
      return form satisfies never;
  }
}

function check(setting: Setting, value: unknown, name: string): ReadSetting {
  const result = setting.schema.safeParse(value);
  if (result.success && value !== undefined) return { ok: true, value: result.data };
  const path = result.error?.issues[0]?.path ?? [];
  return { ok: false, message: `${name} must be ${setting.accepts}${nearWord(setting, value)}`, path };
}

function nearWord({ form, accepts }: Setting, value: unknown): string {
  if (form !== "word" || typeof value !== "string") return "";
  const near = nearestName(value, accepts.replace("one of ", "").split(", "));
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

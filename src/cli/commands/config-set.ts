import { readText } from "#platform/config/setting-value.ts";
import { SETTINGS, type SettingKey } from "#platform/config/settings.ts";
import { suggestion } from "#platform/config/suggestion.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type Places, setInConfigFile } from "./config-edit.ts";

/**
 * `claviger config set settings.NAME VALUE`. The file as it would become is checked whole before it takes the place of
 * the old one, with its mode and owner; a list is written with commas. 2 when the value is refused, 78 when the file
 * would have a problem.
 */
export async function setInConfig(
  context: CommandContext,
  given: { readonly name: string; readonly text: string },
  flags: Places,
): Promise<void> {
  const { key, value } = readGiven(given);
  const { path, config } = await setInConfigFile(context, [{ section: "settings", key, value }], flags);
  const origin = config.origins.get(key) ?? "file";
  const output = context.output();
  if (origin !== "file") output.note(`the ${origin} sets ${key} too, and beats the file`);
  output.result({ file: path, setting: key, value }, () => `${path}: ${key} is set`);
}

function readGiven({ name, text }: { name: string; text: string }): { key: SettingKey; value: unknown } {
  const key = name.replace(/^settings\./, "");
  const setting = SETTINGS.find((known) => known.key === key);
  if (setting === undefined) {
    const keys = SETTINGS.map((known) => known.key);
    throw new CliError(`there is no setting of this name${suggestion(key, keys)}`, { exitCode: EXIT.usage });
  }
  const read = readText(setting, text, setting.key);
  if (!read.ok) throw new CliError(read.message, { exitCode: EXIT.refusedValue });
  return { key: setting.key, value: read.value };
}

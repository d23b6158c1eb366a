import { renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBoundedText } from "./bounded-text.ts";
import type { Problem } from "./problems.ts";

/** The version of the configuration directory's contents that this program reads and writes. */
const CONFIG_VERSION = 1;
const FILE_BYTES = 64;

/** Refuses a directory whose `version` file is of a newer program, or no version; without the file it is version 1. */
export function checkConfigVersion(configDir: string, problems: Problem[]): void {
  const path = join(configDir, "version");
  const file = readBoundedText(path, FILE_BYTES);
  const problem = (message: string) => problems.push({ file: path, line: 1, column: 1, message });
  if (file.kind === "missing" || (file.kind === "text" && file.text === "")) return;
  if (file.kind === "unreadable") {
    problem(`the file ${file.reason}`);
  } else if (!/^[1-9]\d{0,8}\s*$/.test(file.text)) {
    problem("this is not the version of a configuration; it must be one whole number");
  } else if (Number(file.text) > CONFIG_VERSION) {
    problem(
      `the configuration has version ${Number(file.text)}; this program knows versions up to ${CONFIG_VERSION}; ` +
        "start the newer program that wrote it",
    );
  }
}

/** Writes the `version` file (0644) where there is none, whole or not at all. */
export function writeConfigVersion(configDir: string): void {
  const path = join(configDir, "version");
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  writeFileSync(`${path}.new`, `${CONFIG_VERSION}\n`, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

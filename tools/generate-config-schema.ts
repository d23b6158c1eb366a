/** Writes docs/claviger.schema.json from the schemas of the code; with `--check` only says whether it is stale. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { configSchema } from "../src/app/declared/json-schema.ts";

const file = "docs/claviger.schema.json";
const root = path.join(import.meta.dirname, "..");
const target = path.join(root, file);
const text = formatted(JSON.stringify(configSchema(), null, 2));

if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error(`${file} is stale: node tools/generate-config-schema.ts`);
  process.exitCode = 1;
}

function formatted(json: string): string {
  const biome = ["node_modules/.bin/biome", "format", `--stdin-file-path=${file}`];
  const result = spawnSync(process.execPath, biome, { cwd: root, input: json, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`the schema cannot be formatted: ${result.stderr}`);
  return result.stdout;
}

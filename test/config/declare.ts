import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateApiKey, publicHash } from "#identity/keys/index.ts";
import { loadConfig } from "#platform/config/load.ts";
import { ConfigProblems, type Problem } from "#platform/config/problems.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { type Declared, readDeclared } from "../../src/app/declared/declared.ts";

/** What a file of this text declares, or its problems. */
export function declare(
  text: string,
): { declared: Declared } | { problems: readonly Problem[]; text: string } {
  const homeDir = mkdtempSync(join(tmpdir(), "claviger-declared-"));
  const config = join(homeDir, "given.yaml");
  writeFileSync(config, text);
  try {
    return {
      declared: loadConfig({ flags: { config }, env: {}, homeDir, resources: readDeclared }).resources,
    };
  } catch (error) {
    if (error instanceof ConfigProblems)
      return { problems: error.problems, text: `${error.message}\n${JSON.stringify(error.problems)}` };
    throw error;
  } finally {
    rmSync(homeDir, { recursive: true });
  }
}

/** What a right file declares. */
export function declared(text: string): Declared {
  const read = declare(text);
  if ("declared" in read) return read.declared;
  throw new Error(read.text);
}

/** The problems of a wrong file, each as `LINE:COLUMN: message`. */
export function problemsOf(text: string): string[] {
  const read = declare(text);
  if ("declared" in read) return [];
  return read.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

/** A fresh key and the hash that stands for it. */
export function freshKey(): { key: string; hash: string } {
  const { key } = generateApiKey(systemRandom);
  return { key: key.expose(), hash: publicHash(key) };
}

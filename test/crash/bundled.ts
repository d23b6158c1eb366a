import { symlinkSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");
/** The program, and the thread that it starts by its name beside it. */
const FILES = {
  "driver.mjs": "test/crash/driver.ts",
  "sqlite-thread.ts": "src/platform/storage/sqlite-thread.ts",
};
/** It brings a library of machine code. */
const EXTERNAL = ["@node-rs/argon2"];

/** Writes the driver as one file into `directory`: a run of it begins in a third of the time, and it runs thousands of times. */
export async function bundleDriver(directory: string): Promise<URL> {
  for (const [name, entry] of Object.entries(FILES)) {
    await build({
      entryPoints: [path.join(ROOT, entry)],
      outfile: path.join(directory, name),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      external: EXTERNAL,
      logLevel: "error",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    });
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(directory, "node_modules"));
  return pathToFileURL(path.join(directory, "driver.mjs"));
}

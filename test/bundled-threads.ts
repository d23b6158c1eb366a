import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "vitest/config";
import { bundleThreads, withOwnFiles } from "../tools/bundle.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const SOURCES = path.join(ROOT, "src/");
/** Always the same: Vitest keeps what it made of a source. */
const THREADS = path.join(ROOT, ".cache/threads");

/**
 * Has the sources, where a test runs them in its own process, start their threads from bundles, as a shipped server does. A thread
 * that reads the sources anew takes as much time as most tests, and half of them begin with one. What is started as a program
 * of its own runs the sources all the same.
 */
export async function bundledThreads(): Promise<Plugin> {
  await writeThreads();
  const url = (name: string) => `new URL("${pathToFileURL(path.join(THREADS, name))}")`;
  return {
    name: "bundled-threads",
    enforce: "pre",
    transform: (code, id) => (isSource(id) ? withOwnFiles(code, url) : undefined),
  };
}

/** File by file and each at once: other tests may be running. */
async function writeThreads(): Promise<void> {
  mkdirSync(THREADS, { recursive: true });
  const draft = mkdtempSync(`${THREADS}-`);
  try {
    await bundleThreads(draft);
    const names = new Set(readdirSync(draft));
    for (const name of names) renameSync(path.join(draft, name), path.join(THREADS, name));
    for (const name of readdirSync(THREADS))
      if (!names.has(name)) rmSync(path.join(THREADS, name), { force: true });
  } finally {
    rmSync(draft, { recursive: true });
  }
}

function isSource(id: string): boolean {
  return id.startsWith(SOURCES) && !id.endsWith(".test.ts");
}

import { mkdirSync } from "node:fs";
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import { bundle } from "../tools/bundle.ts";
import type { Contender, UpstreamOfBench } from "./contenders.ts";
import { startWithFiles } from "./open-files.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
/** The checkout's sources, as `npm start` runs them. */
export const SOURCES = path.join(ROOT, "src/main.ts");
/** Generous, so that limits are counted and never met: the most that a key may be given. */
const LIMITS = ["--requests-per-minute", "1000000", "--concurrency", "100000"];

/** A server under test: the program it runs, and how. */
export interface ClavigerOptions {
  /** The file to run: a bundle's, or SOURCES. */
  readonly program: string;
  readonly name?: string;
  readonly nodeFlags?: readonly string[];
  readonly serveFlags?: readonly string[];
}

/** Bundles the server as it is shipped, below the checkout, where its native packages are found. Gives its program. */
export async function bundleForBench(): Promise<string> {
  const directory = path.join(ROOT, ".cache", "bench-bundle");
  mkdirSync(path.dirname(directory), { recursive: true });
  await bundle(directory);
  return path.join(directory, "claviger.js");
}

/** `node` with a program of the server, and what it needs to know of the outside: nothing of this process's own. */
export function clavigerCommand(
  program: string,
  home: string,
): { args: readonly string[]; env: NodeJS.ProcessEnv } {
  return {
    args: ["--disable-warning=ExperimentalWarning", program],
    env: { PATH: process.env.PATH, HOME: home },
  };
}

/** Claviger with the upstream as its one provider and a key that has limits; `undo` ends it. */
export async function startClaviger(
  directory: string,
  upstream: UpstreamOfBench,
  { undo, ...options }: ClavigerOptions & { undo: AsyncDisposableStack },
): Promise<Contender> {
  const { program, name = "Claviger", nodeFlags = [], serveFlags = [] } = options;
  const where = ["--data-dir", path.join(directory, name.replaceAll(/\W+/g, "-"))];
  const { args, env } = clavigerCommand(program, directory);
  const command = async (words: readonly string[], stdin = "") => {
    const run = await runProgram(process.execPath, [...args, ...words, ...where], { env, stdin });
    if (run.status !== 0) throw new Error(`claviger ${words.slice(0, 2).join(" ")}: ${run.stderr}`);
    return run.stdout;
  };
  const serve = [...nodeFlags, ...args, "serve", "--listen", "127.0.0.1:0", ...serveFlags, ...where];
  const server = undo.use(startWithFiles(upstream.files, process.execPath, serve, { env, stdout: "ignore" }));
  const [, port = ""] = await server.hears(/listens on http:\/\/127\.0\.0\.1:(\d+)/);
  const add = ["provider", "add", "bench", "--kind", "openai-compatible"];
  const baseUrl = `http://127.0.0.1:${upstream.port}/v1`;
  await command([...add, "--base-url", baseUrl], `${upstream.credential}\n`);
  const created: { key: string } = JSON.parse(
    await command(["api-key", "create", "bench", ...LIMITS, "--json"]),
  );
  const headers = { authorization: `Bearer ${created.key}` };
  return { name, port: Number(port), headers, pids: [server.pid] };
}

import { mkdirSync } from "node:fs";
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import NODE_FLAGS from "../runtime/node-flags.json" with { type: "json" };
import { bundle } from "../tools/bundle.ts";
import type { Contender, UpstreamOfBench } from "./contenders.ts";
import { FILLED_SECRET } from "./fill-keys.ts";
import { startWithFiles } from "./open-files.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
/** The checkout's sources, as `npm start` runs them. */
export const SOURCES = path.join(ROOT, "src/main.ts");
/** So that limits are counted and never met: the most that a key may be given. */
export const GENEROUS = { requests_per_minute: 1_000_000, concurrency: 100_000 };
const LIMITS = Object.entries(GENEROUS).flatMap(([name, most]) => [
  `--${name.replaceAll("_", "-")}`,
  String(most),
]);

/** A server under test: the program it runs, and how. */
export interface ClavigerOptions {
  /** The file to run: a bundle's, or SOURCES. */
  readonly program: string;
  readonly name?: string;
  readonly nodeFlags?: readonly string[];
  readonly serveFlags?: readonly string[];
  /** Its data directory was filled with so many keys: none is made. */
  readonly numberedKeys?: number;
  /** The configuration file, which then says where it listens: one port of 127.0.0.1. */
  readonly config?: string;
}

/** Bundles the server as it is shipped, below the checkout, where its native packages are found. Gives its program. */
export async function bundleForBench(): Promise<string> {
  const directory = path.join(ROOT, ".cache", "bench-bundle");
  mkdirSync(path.dirname(directory), { recursive: true });
  await bundle(directory);
  return path.join(directory, "claviger.js");
}

/** Where a server of this name has its data. */
export function dataDirOf(directory: string, name: string): string {
  return path.join(directory, name.replaceAll(/\W+/g, "-"));
}

/** What a server needs in its environment to know the keys that its store was filled with. */
export const FILLED_ENV = { API_KEY_SECRET: FILLED_SECRET.expose() };

/** `node` with a program of the server, and what it needs to know of the outside: nothing of this process's own. */
export function clavigerCommand(
  program: string,
  home: string,
): { args: readonly string[]; env: NodeJS.ProcessEnv } {
  return {
    args: [...(program === SOURCES ? NODE_FLAGS.sources : NODE_FLAGS.bundle), program],
    env: { PATH: process.env.PATH, HOME: home },
  };
}

/** Claviger with the upstream as its one provider and keys that have limits; `undo` ends it. */
export async function startClaviger(
  directory: string,
  upstream: UpstreamOfBench,
  { undo, ...options }: ClavigerOptions & { undo: AsyncDisposableStack },
): Promise<Contender> {
  const { program, name = "Claviger", nodeFlags = [], serveFlags = [], numberedKeys, config } = options;
  const where = ["--data-dir", dataDirOf(directory, name)];
  const { args, env: usual } = clavigerCommand(program, directory);
  const env = numberedKeys === undefined ? usual : { ...usual, ...FILLED_ENV };
  const command = async (words: readonly string[], stdin = "") => {
    const run = await runProgram(process.execPath, [...args, ...words, ...where], { env, stdin });
    if (run.status !== 0) throw new Error(`claviger ${words.slice(0, 2).join(" ")}: ${run.stderr}`);
    return run.stdout;
  };
  const listens = config === undefined ? ["--listen", "127.0.0.1:0"] : ["--config", config];
  const serve = [...nodeFlags, ...args, "serve", ...listens, ...serveFlags, ...where];
  const server = undo.use(startWithFiles(upstream.files, process.execPath, serve, { env, stdout: "ignore" }));
  const [, port = ""] = await server.hears(/listens on http:\/\/127\.0\.0\.1:(\d+)/);
  const add = ["provider", "add", "bench", "--kind", "openai-compatible"];
  const baseUrl = `http://127.0.0.1:${upstream.port}/v1`;
  await command([...add, "--base-url", baseUrl], `${upstream.credential}\n`);
  const reached = { name, port: Number(port), pids: [server.pid] };
  if (numberedKeys !== undefined) return { ...reached, headers: {}, numberedKeys };
  const created: { key: string } = JSON.parse(
    await command(["api-key", "create", "bench", ...LIMITS, "--json"]),
  );
  return { ...reached, headers: { authorization: `Bearer ${created.key}` } };
}

import path from "node:path";
import { type ClavigerOptions, startClaviger } from "./claviger.ts";
import { startNginx } from "./nginx.ts";
import { startWithFiles } from "./open-files.ts";

/** One of what is compared: where to send requests, and the processes whose time it costs. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** It knows the numbered keys below this; each request presents one of them. */
  readonly numberedKeys?: number;
  readonly pids: readonly number[];
}

/** What every contender has behind it, and how many files it may have open. */
export interface UpstreamOfBench {
  readonly port: number;
  readonly credential: string;
  readonly files: number;
}

export interface Contenders extends AsyncDisposable {
  /** The upstream alone, nginx, the bare proxy, Claviger. */
  readonly all: readonly Contender[];
}

/** The model to ask for: Claviger takes the part before the slash off, the others do not look. */
export const MODEL = "bench/bench-1";
/** The names that ratios are taken to. */
export const NGINX = "nginx";
export const BARE = "bare proxy";
export const CLAVIGER = "Claviger";
export const UPSTREAM = "upstream alone";

const CREDENTIAL = "bench-upstream-credential";
const USUAL_FILES = 4096;

/** Starts the upstream, for `undo` to end. */
export async function startUpstream(
  undo: AsyncDisposableStack,
  files = USUAL_FILES,
): Promise<UpstreamOfBench & { readonly contender: Contender }> {
  const { port, pid } = await startNode("upstream.ts", { args: [], files, undo });
  const contender = { name: UPSTREAM, port, headers: {}, pids: [pid] };
  return { port, credential: CREDENTIAL, files, contender };
}

/** Starts all that is compared; `directory` takes what they write. */
export async function startContenders(
  directory: string,
  claviger: ClavigerOptions,
  files = USUAL_FILES,
): Promise<Contenders> {
  await using undo = new AsyncDisposableStack();
  const upstream = await startUpstream(undo, files);
  const nginx = await startNginx(directory, upstream, { undo });
  const args = [String(upstream.port), CREDENTIAL];
  const { port, pid } = await startNode("bare-proxy.ts", { args, files, undo });
  const bare = { name: BARE, port, headers: {}, pids: [pid] };
  const server = await startClaviger(directory, upstream, { ...claviger, undo });
  const running = undo.move();
  return {
    all: [upstream.contender, nginx, bare, server],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startNode(
  file: string,
  { args, files, undo }: { args: readonly string[]; files: number; undo: AsyncDisposableStack },
): Promise<{ port: number; pid: number }> {
  const program = path.join(import.meta.dirname, file);
  const running = undo.use(startWithFiles(files, process.execPath, [program, ...args]));
  return { port: Number((await running.hears(/port (\d+)/))[1]), pid: running.pid };
}

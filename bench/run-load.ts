import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import { type Contender, MODEL } from "./contenders.ts";
import type { LoadOrder, LoadResult } from "./load.ts";
import type { RateOrder, RateResult } from "./rate-load.ts";
import type { StreamOrder, StreamResult } from "./stream-load.ts";
import type { WrongKeysOrder, WrongKeysResult } from "./wrong-keys-load.ts";

/** What is asked for, again and again. */
export interface Workload {
  readonly name: string;
  readonly path: string;
  readonly body: string;
}

const PROMPT = "Say something that has about the length of a usual question to a model. ".repeat(4);

export const CHAT: Workload = {
  name: "chat",
  path: "/v1/chat/completions",
  body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: PROMPT }] }),
};

export const EMBEDDINGS: Workload = {
  name: "embeddings",
  path: "/v1/embeddings",
  body: JSON.stringify({ model: MODEL, input: PROMPT }),
};

/** A chat whose answer comes as so many chunks, one every so many milliseconds. */
export function streamedChat(name: string, chunks: number, everyMs: number): Workload {
  const content = `${PROMPT} chunks:${chunks} every:${everyMs}`;
  return {
    name,
    path: CHAT.path,
    body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: "user", content }] }),
  };
}

/** How many connections the load keeps busy. */
export const CONNECTIONS = 64;

/** How many keys the load presents in turn to a contender that has numbered ones, picked anew for each run. */
export const KEYS_PRESENTED = 8_192;

/** One request after another on 64 connections, for so long. */
export function runLoad(to: Contender, workload: Workload, durationMs: number): Promise<LoadResult> {
  const among = to.numberedKeys;
  const numberedKeys = among === undefined ? {} : { numberedKeys: { presented: KEYS_PRESENTED, among } };
  const asked = { ...requestTo(to, workload), ...numberedKeys };
  const order: LoadOrder = { ...asked, connections: CONNECTIONS, durationMs };
  return runAs("load.ts", order, to);
}

/** Chats for so long to each, where the measurement itself makes too few requests for their code to be compiled. */
export async function warmUp(contenders: readonly Contender[], durationMs: number): Promise<void> {
  for (const contender of contenders) await runLoad(contender, CHAT, durationMs);
}

/** So many requests a second, answered or not, for so long. */
export function runRate(
  to: Contender,
  workload: Workload,
  beat: { perSecond: number; durationMs: number },
): Promise<RateResult> {
  const order: RateOrder = { ...requestTo(to, workload), ...beat };
  return runAs("rate-load.ts", order, to);
}

/** So many wrong keys a second for so long, from so many addresses. */
export function runWrongKeys(
  to: Contender,
  beat: Omit<WrongKeysOrder, "host" | "port">,
): Promise<WrongKeysResult> {
  const order: WrongKeysOrder = { host: "127.0.0.1", port: to.port, ...beat };
  return runAs("wrong-keys-load.ts", order, to);
}

/** What to start stream-load.ts with. */
export function streamOrder(
  to: Contender,
  workload: Workload,
  streams: Pick<StreamOrder, "streams" | "chunks" | "durationMs" | "spreadMs">,
): StreamOrder {
  return { ...requestTo(to, workload), ...streams };
}

/** Streams one after another, so many at once, for so long. */
export function runStreams(to: Contender, order: StreamOrder): Promise<StreamResult> {
  return runAs("stream-load.ts", order, to);
}

function requestTo(to: Contender, { path: asked, body }: Workload) {
  return { host: "127.0.0.1", port: to.port, path: asked, headers: to.headers, body };
}

async function runAs<Result>(file: string, order: object, to: Contender): Promise<Result> {
  const program = path.join(import.meta.dirname, file);
  const { status, stdout, stderr } = await runProgram(process.execPath, [program, JSON.stringify(order)]);
  if (status !== 0) throw new Error(`${to.name}, ${file}: ${stderr}`);
  return JSON.parse(stdout);
}

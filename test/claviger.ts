import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type App, type AppOptions, startApp } from "#app";
import { loadConfig } from "#platform/config/load.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { readDeclared } from "../src/app/declared/declared.ts";
import { asDeclared } from "./declared-errors.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { WorkerExtras } from "./worker-thread.ts";

/** A JSON answer of the server: its status, headers, text, and the text parsed where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly json: unknown;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes as it is, anything else as JSON with its content type. */
  readonly body?: unknown;
}

/** A whole server on a directory of its own, as a program meets it. */
export interface TestClaviger extends AsyncDisposable {
  readonly app: App;
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly dataDir: string;
  /** Everything logged so far, one JSON object a line. */
  readonly logged: () => string;
  /** Has the worker thread of this number (from 1) end by an error nobody caught. */
  failWorker(thread: number): void;
  /** Has it stop answering, for good; settles when it does. */
  stallWorker(thread: number): Promise<void>;
  /** A request over TCP. */
  call(call: Call): Promise<Answer>;
  /** A request over the control socket, as principal `local`. */
  control(call: Call): Promise<Answer>;
  /** Issues a key over the control socket; the permission set is `gateway` unless said. */
  issueKey(
    name: string,
    permissions?: readonly string[],
    limits?: Readonly<Record<string, number>>,
  ): Promise<{ id: string; key: string }>;
  /** Adds a provider over the control socket, of kind openai-compatible unless said. */
  addProvider(name: string, baseUrl: string, credential?: string, kind?: string): Promise<void>;
}

export interface TestOptions {
  /** Where to keep the data; a new temporary directory, removed at the end, unless given. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The text of `claviger.yaml`. */
  readonly yaml?: string;
  /** As `--listen`, which replaces the listeners of the file; empty for those of the file. */
  readonly listen?: readonly string[];
  readonly clock?: FakeClock;
  /** What the heartbeats of the cluster go by. */
  readonly timers?: AppOptions["timers"];
  /** Bytes free on the disk; asked of the system unless given. */
  readonly freeBytes?: AppOptions["freeBytes"];
  /** How many threads serve; as many as the environment's CLAVIGER_TEST_WORKERS says, else one, unless given. */
  readonly workers?: number;
  /** What a passphrase or a password costs to hash; next to nothing unless given. */
  readonly sealCost?: AppOptions["sealCost"];
  /** How the way out resolves names, and its timeouts; in further threads no name resolves where `lookup` is given. */
  readonly egress?: NonNullable<AppOptions["egress"]>;
  /** Where a built dashboard lies; none is served unless given. */
  readonly dashboardDir?: string;
}

/** Starts the server in this process, on a free port of 127.0.0.1. */
export async function startClaviger(options: TestOptions = {}): Promise<TestClaviger> {
  const own = options.dataDir === undefined;
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), "claviger-"));
  const lines: string[] = [];
  const configFile = path.join(dataDir, "given.yaml");
  if (options.yaml !== undefined) writeFileSync(configFile, options.yaml);
  const workers = String(options.workers ?? process.env.CLAVIGER_TEST_WORKERS ?? 1);
  const flags = { dataDir, listen: options.listen ?? ["127.0.0.1:0"], settings: { workers } };
  const readConfig = () =>
    loadConfig({
      flags: options.yaml === undefined ? flags : { ...flags, config: configFile },
      env: { ...options.env },
      homeDir: dataDir,
      resources: readDeclared,
    });
  const logSink = { write: (written: string) => void lines.push(written) };
  const tools = { clock: options.clock ?? systemClock, random: systemRandom };
  const failing = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const extras: WorkerExtras = {
    clock: options.clock?.memory,
    offline: options.egress?.lookup !== undefined,
    timeouts: options.egress?.timeouts,
    failing,
  };
  const workerProgram = { entry: new URL("./worker-thread.ts", import.meta.url), data: extras };
  const app = await startApp(readConfig(), {
    readConfig,
    logSink,
    ...tools,
    sealCost: options.sealCost ?? { memoryKib: 8 * 1024, passes: 1, lanes: 1 },
    egress: options.egress ?? {},
    ...(options.timers === undefined ? {} : { timers: options.timers }),
    ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes }),
    environment: { ...options.env },
    workerProgram,
    dashboardDir: options.dashboardDir ?? path.join(dataDir, "no-dashboard"),
  });
  const url = app.urls[0] ?? "";
  const ask = async (to: Parameters<typeof send>[0], call: Call) =>
    asDeclared(app.routes(), call, await send(to, call));
  const control = (call: Call) => ask({ socketPath: app.controlSocket }, call);
  return {
    app,
    url,
    dataDir,
    logged: () => lines.join(""),
    failWorker: (thread) => void Atomics.store(new Int32Array(failing), 0, thread),
    stallWorker: async (thread) => {
      const cell = new Int32Array(failing);
      Atomics.store(cell, 0, -thread);
      while (Atomics.load(cell, 0) !== 0) await nextTurn();
    },
    call: (call) => ask({ host: new URL(url).hostname, port: new URL(url).port }, call),
    control,
    issueKey: async (name, permissions = ["gateway"], limits = {}) =>
      readKey(await control({ method: "POST", path: "/api/v1/keys", body: { name, permissions, limits } })),
    addProvider: async (name, baseUrl, credential, kind = "openai-compatible") => {
      const credentials = credential === undefined ? [] : [{ type: "api_key", value: credential }];
      const body = { name, kind, base_url: baseUrl, credentials };
      expectStatus(await control({ method: "POST", path: "/api/v1/providers", body }), 201);
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      if (own) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function readKey(answer: Answer): { id: string; key: string } {
  const { json } = expectStatus(answer, 201);
  if (typeof json === "object" && json !== null && "id" in json && "key" in json)
    return { id: String(json.id), key: String(json.key) };
  throw new Error(`no key in ${answer.text}`);
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`expected ${status}, was answered ${answer.status}: ${answer.text}`);
  return answer;
}

export function send(
  to: { socketPath: string } | { host: string; port: string },
  call: Call,
): Promise<Answer> {
  const asIs = call.body === undefined || typeof call.body === "string";
  const body = asIs ? call.body : JSON.stringify(call.body);
  const headers = {
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(String(body)) }),
    ...call.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { ...to, method: call.method ?? "GET", path: call.path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: parseOr(text),
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

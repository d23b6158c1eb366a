import type { IncomingMessage, RequestOptions } from "node:http";
import * as z from "zod";
import { quoteForShell } from "#platform/config/shell-quote.ts";
import { request } from "#platform/http/node-http.ts";
import { CliError, EXIT, exitCodeOfStatus } from "./exit-codes.ts";
import { openRemote, type RemoteServer, remoteProblem } from "./remote-server.ts";

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_DEADLINE_MS = 60_000;

const problemSchema = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string().optional(),
});

/** The server that is meant: by its control socket, or elsewhere. */
export type ServerPlace =
  | {
      socketPath: string;
      /** Named when no server answers; the socket's path is named without it. */
      dataDir?: string;
    }
  | { remote: RemoteServer };

export type ServerCall = ServerPlace & {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from the slash on. */
  path: string;
  /** Sent as JSON; absent means a call without a body. */
  body?: unknown;
  /** For the whole call, in milliseconds; 60 seconds unless said. */
  deadlineMs?: number;
};

/** An answer below 300: JSON parsed, other text as it is, `undefined` when there was no body. */
export interface ServerAnswer {
  status: number;
  body: unknown;
}

/**
 * One call to a server: the local one over its control socket, or another over a connection that `openRemote` judged.
 * CliError: 69 no server is running, 76 another server answers, 77 the socket may not be opened, 75 no answer in time,
 * 1 an answer that cannot be read, and the server's own refusal with `problem` set. No redirect is followed.
 */
export async function callServer(call: ServerCall): Promise<ServerAnswer> {
  const signal = AbortSignal.timeout(call.deadlineMs ?? DEFAULT_DEADLINE_MS);
  let answer: Awaited<ReturnType<typeof exchange>>;
  try {
    answer = await exchange(call, signal);
  } catch (cause) {
    throw cause instanceof CliError ? cause : connectionProblem(call, signal, cause);
  }
  const body = parseBody(answer);
  if (answer.status >= 400) throw refusal(answer.status, body, call);
  if (answer.status >= 300) throw redirected(answer.status, answer.location);
  return { status: answer.status, body };
}

/**
 * A call whose answer is read as it comes, however long it is; `deadlineMs` is for each wait. Throws what `callServer`
 * throws until it begins; one that breaks off later fails as a stream does.
 */
export async function streamFromServer(call: ServerCall): Promise<IncomingMessage> {
  const wait = new AbortController();
  const timer = setTimeout(() => wait.abort(), call.deadlineMs ?? DEFAULT_DEADLINE_MS);
  let response: IncomingMessage;
  try {
    response = await send(call, wait.signal);
  } catch (cause) {
    throw cause instanceof CliError ? cause : connectionProblem(call, wait.signal, cause);
  } finally {
    clearTimeout(timer);
  }
  response.setTimeout(call.deadlineMs ?? DEFAULT_DEADLINE_MS, () => {
    response.destroy(new Error("the server sends nothing more"));
  });
  const { statusCode = 0 } = response;
  if (statusCode < 300) return response;
  const answer = await readAnswer(response);
  if (statusCode >= 400) throw refusal(statusCode, parseBody(answer), call);
  throw redirected(statusCode, answer.location);
}

async function exchange(call: ServerCall, signal: AbortSignal) {
  return readAnswer(await send(call, signal));
}

async function send(call: ServerCall, signal: AbortSignal): Promise<IncomingMessage> {
  const sent = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const place = await placeOf(call, signal);
  return new Promise((resolve, reject) => {
    const { method, path } = call;
    const headers = {
      ...place.headers,
      accept: "application/json",
      ...(sent && { "content-type": "application/json", "content-length": sent.length }),
    };
    const outgoing = request({ ...place.options, method, path, headers, signal }, resolve);
    outgoing.on("error", reject);
    outgoing.end(sent);
  });
}

async function readAnswer(response: IncomingMessage) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw unreadable("is too large");
    chunks.push(bytes);
  }
  const { "content-type": type = "", location } = response.headers;
  return { status: response.statusCode ?? 0, type, location, text: Buffer.concat(chunks).toString("utf8") };
}

async function placeOf(
  call: ServerPlace,
  signal: AbortSignal,
): Promise<{ options: RequestOptions; headers: Record<string, string> }> {
  if ("socketPath" in call)
    return { options: { socketPath: call.socketPath, agent: false }, headers: { host: "localhost" } };
  const { url, key } = call.remote;
  const socket = await openRemote(call.remote, signal);
  const headers = { host: url.host, authorization: `Bearer ${key.expose()}` };
  return { options: { createConnection: () => socket }, headers };
}

function parseBody({ status, type, text }: { status: number; type: string; text: string }): unknown {
  if (text === "") return undefined;
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A refusal is still a refusal when its words are broken; only a success needs its body.
    if (status >= 400) return undefined;
    throw unreadable("is not valid JSON", cause);
  }
}

function refusal(status: number, body: unknown, place: ServerPlace): CliError {
  const exitCode = exitCodeOfStatus(status);
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) return new CliError(`the server answered ${status}`, { exitCode });
  const { code, title, detail } = parsed.data;
  const problem = { status, code, title, detail };
  if (code === "seal_busy") return new CliError(detail ?? title, { exitCode: EXIT.tryAgain, problem });
  if (code !== "invalid_token" || !("remote" in place))
    return new CliError(detail ?? title, { exitCode, problem });
  const repair = `the key is from ${place.remote.keyFrom}; where the server runs: claviger api-key create NAME`;
  return new CliError(detail ?? title, { exitCode, problem, repair });
}

/** The key went to the server that was named; where that points to is for the person to judge. */
function redirected(status: number, location: string | undefined): CliError {
  return new CliError(`the server answered ${status} and points to ${location ?? "nowhere"}`, {
    exitCode: EXIT.wrongServer,
    repair: "redirects are not followed; name the server itself with --url",
  });
}

function connectionProblem(call: ServerPlace, signal: AbortSignal, cause: unknown): CliError {
  if (signal.aborted) {
    return new CliError("the server did not answer in time", { exitCode: EXIT.tryAgain, cause });
  }
  if ("remote" in call) return remoteProblem(call.remote, cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    const { dataDir } = call;
    const where = dataDir ?? call.socketPath;
    const named = dataDir === undefined ? "" : ` --data-dir ${quoteForShell(dataDir)}`;
    return new CliError(`no server is running on ${where}`, {
      exitCode: EXIT.notRunning,
      repair: `start it with: claviger serve${named}`,
      cause,
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new CliError(`this user may not open ${call.socketPath}`, {
      exitCode: EXIT.notPermitted,
      repair: "run the command as the user the server runs as",
      cause,
    });
  }
  return new CliError("the connection to the server broke", { exitCode: EXIT.failed, cause });
}

function unreadable(what: string, cause?: unknown): CliError {
  return new CliError(`the server's answer ${what}`, { exitCode: EXIT.failed, cause });
}

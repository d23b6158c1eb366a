import { type IncomingMessage, request } from "node:http";
import * as z from "zod";
import { quoteForShell } from "#platform/config/shell-quote.ts";
import { CliError, EXIT, exitCodeOfStatus } from "./exit-codes.ts";

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_DEADLINE_MS = 60_000;

const problemSchema = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string().optional(),
});

export interface ServerCall {
  /** The control socket of the server that is meant. */
  socketPath: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from the slash on. */
  path: string;
  /** Sent as JSON; absent means a call without a body. */
  body?: unknown;
  /** Named when no server answers; the socket's path is named without it. */
  dataDir?: string;
  /** For the whole call, in milliseconds; 60 seconds unless said. */
  deadlineMs?: number;
}

/** An answer below 400: JSON parsed, other text as it is, `undefined` when there was no body. */
export interface ServerAnswer {
  status: number;
  body: unknown;
}

/**
 * One call to the local server over its control socket. CliError: 69 no server is running, 77 the socket may not
 * be opened, 75 no answer in time, 1 an answer that cannot be read, and the server's own refusal with `problem` set.
 */
export async function callServer(call: ServerCall): Promise<ServerAnswer> {
  const signal = AbortSignal.timeout(call.deadlineMs ?? DEFAULT_DEADLINE_MS);
  let answer: { status: number; type: string; text: string };
  try {
    answer = await exchange(call, signal);
  } catch (cause) {
    throw cause instanceof CliError ? cause : connectionProblem(call, signal, cause);
  }
  const body = parseBody(answer);
  if (answer.status >= 400) throw refusal(answer.status, body);
  return { status: answer.status, body };
}

async function exchange(call: ServerCall, signal: AbortSignal) {
  const sent = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { socketPath, method, path } = call;
    const headers = {
      host: "localhost",
      accept: "application/json",
      ...(sent && { "content-type": "application/json", "content-length": sent.length }),
    };
    const outgoing = request({ socketPath, method, path, headers, agent: false, signal }, resolve);
    outgoing.on("error", reject);
    outgoing.end(sent);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw unreadable("is too large");
    chunks.push(bytes);
  }
  const type = response.headers["content-type"] ?? "";
  return { status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString("utf8") };
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

function refusal(status: number, body: unknown): CliError {
  const exitCode = exitCodeOfStatus(status);
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) return new CliError(`the server answered ${status}`, { exitCode });
  const { code, title, detail } = parsed.data;
  return new CliError(detail ?? title, { exitCode, problem: { status, code, title, detail } });
}

function connectionProblem(call: ServerCall, signal: AbortSignal, cause: unknown): CliError {
  if (signal.aborted) {
    return new CliError("the server did not answer in time", { exitCode: EXIT.tryAgain, cause });
  }
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

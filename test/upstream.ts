import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What a request brought; `closed` is settled when its answer ended or its connection was closed. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly closed: Promise<void>;
}

/** How the upstream answers from now on. Waiting is ended by the test's own promise. */
export type Behaviour =
  | { kind: "ok" }
  /** The connection breaks after so many bytes of the body. */
  | { kind: "cut"; afterBytes: number }
  /** Nothing more until `until` settles: before the headers, or after so many bytes of the body. */
  | { kind: "stall"; after: "request" | number; until: Promise<void> }
  /** An error in OpenAI's shape; `status: 200` for an error that looks like success. */
  | { kind: "error"; status: 200 | 401 | 429 | 500 }
  /** A stream whose first event is an error. */
  | { kind: "error-first" }
  /** A 401 that repeats the credential in a header and in its body. */
  | { kind: "echo-credential" }
  | { kind: "redirect"; location: string }
  | { kind: "huge"; bytes: number };

export interface Upstream extends AsyncDisposable {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly RecordedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  behave(behaviour: Behaviour): void;
  /** Settles with the request of this index (from 0) once it has arrived whole. */
  arrived(index: number): Promise<RecordedRequest>;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** The model every list names. */
export const UPSTREAM_MODEL = "sim-1";

/** An OpenAI-style upstream on 127.0.0.1, any port: chat (streamed and not), embeddings, models. */
export async function startUpstream(): Promise<Upstream> {
  let behaviour: Behaviour = { kind: "ok" };
  let connections = 0;
  const requests: RecordedRequest[] = [];
  const waiting = new Map<number, (request: RecordedRequest) => void>();
  const server = createServer(async (message, response) => {
    const request = await record(message, response);
    const index = requests.push(request) - 1;
    waiting.get(index)?.(request);
    const current = behaviour;
    await deliver(response, answerFor(request, current), current);
  });
  server.on("connection", () => {
    connections += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    get connections() {
      return connections;
    },
    behave: (next) => {
      behaviour = next;
    },
    arrived: (index) => {
      const there = requests[index];
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.set(index, resolve));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function record(message: IncomingMessage, response: ServerResponse): Promise<RecordedRequest> {
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return {
    method: message.method ?? "",
    path: message.url ?? "",
    rawHeaders: message.rawHeaders,
    body: Buffer.concat(chunks),
    closed,
  };
}

async function deliver(response: ServerResponse, answer: Answer, behaviour: Behaviour): Promise<void> {
  if (behaviour.kind === "stall" && behaviour.after === "request") await behaviour.until;
  response.writeHead(answer.status, answer.headers);
  if (behaviour.kind === "cut") {
    response.write(answer.body.subarray(0, behaviour.afterBytes), () => response.destroy());
    return;
  }
  if (behaviour.kind === "stall" && behaviour.after !== "request") {
    response.write(answer.body.subarray(0, behaviour.after));
    await behaviour.until;
    response.end(answer.body.subarray(behaviour.after));
    return;
  }
  response.end(answer.body);
}

function answerFor(request: RecordedRequest, behaviour: Behaviour): Answer {
  switch (behaviour.kind) {
    case "error":
      return json(behaviour.status, errorBody("the simulated upstream fails"));
    case "echo-credential": {
      const at = request.rawHeaders.findIndex((name) => name.toLowerCase() === "authorization");
      const credential = request.rawHeaders[at + 1] ?? "";
      const answer = json(401, errorBody(`Incorrect API key provided: ${credential}`));
      return { ...answer, headers: { ...answer.headers, "x-echo": credential } };
    }
    case "error-first":
      return events([errorBody("overloaded")]);
    case "redirect":
      return { status: 302, headers: { location: behaviour.location }, body: Buffer.alloc(0) };
    case "huge":
      return json(200, { id: "huge", padding: "x".repeat(behaviour.bytes) });
    case "ok":
    case "cut":
    case "stall":
      return usualAnswer(request);
    default:
      return behaviour satisfies never;
  }
}

function usualAnswer(request: RecordedRequest): Answer {
  const model = { id: UPSTREAM_MODEL, object: "model", created: 0, owned_by: "sim" };
  if (request.method === "GET" && request.path === "/v1/models") {
    return json(200, { object: "list", data: [model] });
  }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (request.path === "/v1/embeddings") {
    const data = [{ object: "embedding", index: 0, embedding: [0.5, -0.5] }];
    return json(200, { object: "list", model: UPSTREAM_MODEL, data, usage });
  }
  if (request.path !== "/v1/chat/completions") return json(404, errorBody("no such path"));
  const common = { id: "chatcmpl-1", created: 0, model: UPSTREAM_MODEL };
  if (!/"stream"\s*:\s*true/.test(request.body.toString())) {
    const message = { role: "assistant", content: "Hello." };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    return json(200, { ...common, object: "chat.completion", choices, usage });
  }
  const chunk = (content: string, finishReason: string | null) => ({
    ...common,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { content }, finish_reason: finishReason }],
  });
  return events([chunk("Hel", null), chunk("lo.", null), chunk("", "stop"), "[DONE]"]);
}

function json(status: number, value: object): Answer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function events(data: readonly (object | string)[]): Answer {
  const lines = data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`);
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: Buffer.from(lines.join("")) };
}

function errorBody(message: string): object {
  return { error: { message, type: "server_error", param: null, code: null } };
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** How the next requests are answered; every answer repeats all of the request, and `own`. */
export const ECHOES = [
  "result",
  "bad request",
  "credential refused",
  "overloaded",
  "failure",
  "no JSON",
  "no dialect",
  "error event first",
  "error event later",
  "stream cut",
  "stream crash",
  "crash",
  "redirect",
] as const;
export type Echo = (typeof ECHOES)[number];

export interface EchoUpstream extends AsyncDisposable {
  readonly baseUrl: string;
  /** Everything that came, so that a test knows the canaries arrived. */
  readonly seen: string;
  behave(how: Echo, own: string): void;
}

const STATUSES: Partial<Record<Echo, number>> = {
  "bad request": 400,
  "credential refused": 401,
  overloaded: 429,
  failure: 500,
  "no dialect": 503,
};

/** An upstream that tells everything it hears, in headers, bodies, errors and its model list. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  let how: Echo = "result";
  let own = "";
  let seen = "";
  const server = createServer(async (request, response) => {
    const heard = await hear(request);
    seen += heard;
    if (request.method === "GET") return list(response, heard + own);
    answer(response, how, heard + own);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    get seen() {
      return seen;
    },
    behave: (next, text) => {
      how = next;
      own = text;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function hear(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const head = `${request.method} ${request.url}\n${request.rawHeaders.join("\n")}`;
  return `${head}\n${Buffer.concat(chunks).toString()}`;
}

function list(response: ServerResponse, text: string): void {
  const data = [{ id: "echo-1", object: "model", owned_by: text, note: text }];
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ data, note: text }));
}

function answer(response: ServerResponse, how: Echo, text: string): void {
  const visible = encodeURIComponent(text).slice(-2000);
  const headers = { "x-echo": visible, "set-cookie": `echo=${visible}`, "x-request-id": visible };
  const error = JSON.stringify({ error: { message: text, type: text, code: text, param: text } });
  const event = JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] });
  const json = { ...headers, "content-type": "application/json" };
  const sse = { ...headers, "content-type": "text/event-stream" };
  switch (how) {
    case "crash":
      return void response.destroy();
    case "redirect":
      return void response.writeHead(302, { ...headers, location: `/${visible}` }).end(text);
    case "no JSON":
      return void response.writeHead(200, { ...headers, "content-type": "text/html" }).end(text);
    case "no dialect":
      return void response.writeHead(503, headers).end(text);
    case "error event first":
      return void response.writeHead(200, sse).end(`event: error\ndata: ${error}\n\n`);
    case "error event later":
      return void response.writeHead(200, sse).end(`data: ${event}\n\ndata: ${error}\n\n`);
    case "stream cut":
      return void response.writeHead(200, sse).end(`data: ${event}\n\ndata: ${event.slice(0, -5)}`);
    case "stream crash":
      return void response.writeHead(200, sse).write(`data: ${event}\n\n`, () => response.destroy());
    case "result": {
      const usage = { prompt_tokens: text, completion_tokens: 1, note: text };
      const choices = [{ message: { content: text } }];
      return void response.writeHead(200, json).end(JSON.stringify({ id: text, choices, usage }));
    }
    default:
      response.statusMessage = visible.slice(-60);
      return void response.writeHead(STATUSES[how] ?? 500, json).end(error);
  }
}

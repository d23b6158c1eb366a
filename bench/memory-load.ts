/* The load of the memory measurement: whole and streamed chats, a fifth of them left by the client. */
import { once } from "node:events";
import {
  Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const WHOLE = JSON.stringify({
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
  usage,
});
const event = (content: string, finish: string | null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const FIRST = event("Hello.", null);
const REST = `${event("", "stop")}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;

/** When the client leaves: while it sends, when the upstream was asked, or when the answer has begun. */
const LEAVING = ["sending", "asked", "begun"] as const;
type Way = (typeof LEAVING)[number] | "whole" | "streamed";

/** An upstream that answers as its prompts say: `asked` gets no answer, `begun` only its first event. */
export async function startMemoryUpstream(): Promise<{ baseUrl: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(Buffer.concat(chunks).toString(), response));
    request.on("error", () => {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(body: string, response: ServerResponse): void {
  const way = /way:(\w+)/.exec(body)?.[1];
  if (way === "asked") {
    // Nothing but the head, so that the client knows that it was asked: see `perform`.
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": asked\n\n");
    hearAsked.get(Number(/id:(\d+)/.exec(body)?.[1]))?.();
  } else if (way === "begun") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(FIRST);
  } else if (way === "streamed") {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(FIRST + REST);
  } else {
    const text = way === undefined ? '{"object":"list","data":[{"id":"sim-1"}]}' : WHOLE;
    response.writeHead(200, { "content-type": "application/json" }).end(text);
  }
}

/** By request, what to do when the upstream was asked. */
const hearAsked = new Map<number, () => void>();

export interface MemoryLoad {
  /** Makes so many requests more, and waits for all of them. Throws when an answer is not what it should be. */
  run(count: number): Promise<void>;
}

/** A fifth of the requests is left by the client, at each of three moments; of the others every second streams. */
export function memoryLoad(to: { url: string; key: string; connections: number }): MemoryLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: to.connections });
  let made = 0;
  const next = () => {
    made += 1;
    return perform({ ...to, agent }, made, wayOf(made));
  };
  return {
    run: async (count) => {
      let left = count;
      const worker = async () => {
        for (; left > 0; ) {
          left -= 1;
          await next();
        }
      };
      await Promise.all(Array.from({ length: to.connections }, worker));
    },
  };
}

function wayOf(id: number): Way {
  if (id % 5 === 0) return LEAVING[(id / 5) % LEAVING.length] ?? "begun";
  return id % 2 === 0 ? "streamed" : "whole";
}

async function perform(to: { url: string; key: string; agent: Agent }, id: number, way: Way): Promise<void> {
  const content = `way:${way} id:${id}`;
  const body = JSON.stringify({
    model: "sim/sim-1",
    stream: way !== "whole",
    messages: [{ role: "user", content }],
  });
  const more = way === "sending" ? 1000 : 0;
  const outgoing = httpRequest(`${to.url}/v1/chat/completions`, {
    method: "POST",
    agent: to.agent,
    headers: {
      authorization: `Bearer ${to.key}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body) + more,
    },
  });
  if (way === "whole" || way === "streamed") return readAnswer(outgoing, body, way);
  return leave(outgoing, body, { id, way });
}

async function readAnswer(outgoing: ClientRequest, body: string, way: "whole" | "streamed"): Promise<void> {
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  outgoing.end(body);
  const response = await head;
  let text = "";
  for await (const chunk of response) text += String(chunk);
  const complete = way === "whole" ? text === WHOLE : text.endsWith("data: [DONE]\n\n");
  if (!complete) throw new Error(`an answer was ${response.statusCode} ${text}`);
}

async function leave(
  outgoing: ClientRequest,
  body: string,
  { id, way }: { id: number; way: (typeof LEAVING)[number] },
): Promise<void> {
  const closed = new Promise<void>((resolve) => outgoing.once("close", resolve));
  outgoing.on("error", () => {});
  if (way === "sending") outgoing.write(body, () => outgoing.destroy());
  else if (way === "asked") {
    hearAsked.set(id, () => outgoing.destroy());
    outgoing.end(body);
  } else {
    outgoing.once("response", (response) => response.once("data", () => outgoing.destroy()));
    outgoing.end(body);
  }
  await closed;
  hearAsked.delete(id);
}

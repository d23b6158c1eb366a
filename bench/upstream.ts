/*
 * The upstream, as a process of its own: a fixed reply to each path, and a stream to a chat that asks for one, of as
 * many chunks, one every so many milliseconds, as the prompt says: `chunks:200 every:4`. Prints `port N` once it listens.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

const EMBEDDING_LENGTH = 1536;

const usage = { prompt_tokens: 12, completion_tokens: 60, total_tokens: 72 };
const message = { role: "assistant", content: "A sentence that a model might have written. ".repeat(6) };
const CHAT = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 0,
  model: "bench-1",
  choices: [{ index: 0, message, finish_reason: "stop" }],
  usage,
});
const embedding = Array.from({ length: EMBEDDING_LENGTH }, (_, index) => Math.sin(index) / 8);
const EMBEDDINGS = JSON.stringify({
  object: "list",
  model: "bench-1",
  data: [{ object: "embedding", index: 0, embedding }],
  usage,
});
const MODELS = JSON.stringify({ object: "list", data: [{ id: "bench-1", object: "model", created: 0 }] });

const replies = new Map(
  Object.entries({
    "/v1/chat/completions": CHAT,
    "/v1/embeddings": EMBEDDINGS,
    "/v1/models": MODELS,
  }).map(([path, text]) => [path, Buffer.from(text)]),
);

const event = (choices: readonly object[], more = {}) =>
  `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 0, model: "bench-1", choices, ...more })}\n\n`;
const CHUNK = Buffer.from(event([{ index: 0, delta: { content: " written" }, finish_reason: null }]));
const FINISH = event([{ index: 0, delta: {}, finish_reason: "stop" }]);
const DONE = "data: [DONE]\n\n";
const WITH_USAGE = Buffer.from(`${FINISH}${event([], { usage })}${DONE}`);
const WITHOUT_USAGE = Buffer.from(`${FINISH}${DONE}`);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    if (body?.includes('"stream":true')) return stream(body.toString("latin1"), response);
    const reply = replies.get(request.url ?? "");
    const head = { "content-type": "application/json", "content-length": reply?.length ?? 0 };
    response.writeHead(reply === undefined ? 404 : 200, head).end(reply);
  });
});
await once(server.listen(0, "127.0.0.1", 4096), "listening");
const address = server.address();
console.log(`port ${typeof address === "object" ? address?.port : ""}`);

function stream(asked: string, response: ServerResponse): void {
  const [, count = "1", everyMs = "1"] = /chunks:(\d+) every:(\d+)/.exec(asked) ?? [];
  const end = asked.includes('"include_usage":true') ? WITH_USAGE : WITHOUT_USAGE;
  let left = Number(count);
  // nginx would else wait until a buffer is full.
  response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
  const next = () => {
    left -= 1;
    response.write(CHUNK);
    if (left > 0) return;
    clearInterval(timer);
    response.end(end);
  };
  const timer = setInterval(next, Number(everyMs));
  response.on("close", () => clearInterval(timer));
  next();
}

/* The upstream, as a process of its own: a fixed reply to each path. Prints `port N` once it listens. */
import { once } from "node:events";
import { createServer } from "node:http";

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

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on("end", () => {
    const reply = replies.get(request.url ?? "");
    const head = { "content-type": "application/json", "content-length": reply?.length ?? 0 };
    response.writeHead(reply === undefined ? 404 : 200, head).end(reply);
  });
});
await once(server.listen(0, "127.0.0.1"), "listening");
const address = server.address();
console.log(`port ${typeof address === "object" ? address?.port : ""}`);

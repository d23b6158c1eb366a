import { openaiToolCall } from "./upstream-tools.ts";

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** The model every list names. */
export const UPSTREAM_MODEL = "sim-1";
/** What `audio/speech` answers: no text, each byte once. */
export const SPEECH = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** What a well-behaved upstream answers to a chat, responses, embeddings, media or model list request. */
export function usualAnswer(
  request: { method: string; path: string; body: Buffer },
  models: readonly string[],
): Answer {
  if (request.method === "GET" && request.path === "/v1/models") {
    const data = models.map((id) => ({ id, object: "model", created: 0, owned_by: "sim" }));
    return json(200, { object: "list", data });
  }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (request.path === "/v1/embeddings") {
    const data = [{ object: "embedding", index: 0, embedding: [0.5, -0.5] }];
    return json(200, { object: "list", model: UPSTREAM_MODEL, data, usage });
  }
  const text = request.body.toString();
  const streamed = /"stream"\s*:\s*true/.test(text);
  if (/"tools"\s*:\s*\[/.test(text)) return openaiToolCall(request.path, streamed);
  if (request.path === "/v1/responses") return responsesAnswer(streamed);
  if (request.path.startsWith("/v1/images/"))
    return json(200, { created: 0, data: [{ b64_json: Buffer.from("picture").toString("base64") }] });
  if (request.path === "/v1/audio/speech")
    return { status: 200, headers: { "content-type": "audio/mpeg" }, body: SPEECH };
  if (request.path.startsWith("/v1/audio/")) return json(200, { text: "Hello." });
  if (request.path !== "/v1/chat/completions") return json(404, errorBody("no such path"));
  const common = { id: "chatcmpl-1", created: 0, model: UPSTREAM_MODEL };
  if (!streamed) {
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

function responsesAnswer(streamed: boolean): Answer {
  const content = [{ type: "output_text", text: "Hello.", annotations: [] }];
  const message = { id: "msg_1", type: "message", role: "assistant", status: "completed", content };
  const response = {
    id: "resp_1",
    object: "response",
    created_at: 0,
    model: UPSTREAM_MODEL,
    status: "completed",
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  };
  if (!streamed) return json(200, { ...response, output: [message] });
  const began = { ...response, status: "in_progress", output: [], metadata: { type: "response.completed" } };
  const events = [
    { type: "response.created", response: began },
    { type: "response.output_item.added", output_index: 0, item: { ...message, content: [] } },
    {
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta: "Hello.",
    },
    { type: "response.output_item.done", output_index: 0, item: message },
    { type: "response.completed", response: { ...response, output: [message] } },
  ];
  const lines = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    body: Buffer.from(lines.join("")),
  };
}

export function json(status: number, value: object): Answer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function events(data: readonly (object | string)[]): Answer {
  const lines = data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`);
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: Buffer.from(lines.join("")) };
}

export function errorBody(message: string): object {
  return { error: { message, type: "server_error", param: null, code: null } };
}

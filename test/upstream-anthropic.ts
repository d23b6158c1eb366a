import { type Answer, json } from "./upstream-answers.ts";

/** The model of every Anthropic list: one that Claude Code would offer. */
export const CLAUDE = "claude-sim-1";
/** What each message costs; its cache is in the input. */
export const MESSAGE_TOKENS = { input: 17, output: 9 };

const USAGE = { input_tokens: 7, cache_creation_input_tokens: 4, cache_read_input_tokens: 6 };
const TOOL_USE = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } };

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

/** What a well-behaved Anthropic upstream answers; undefined for what is not in its API. */
export function anthropicAnswer(request: Asked, models: readonly string[]): Answer | undefined {
  const [path = "", query = ""] = request.path.split("?");
  if (request.method === "GET" && path === "/v1/models") return modelPage(models, new URLSearchParams(query));
  if (path === "/v1/messages/count_tokens") return json(200, { input_tokens: 11 });
  if (path !== "/v1/messages") return undefined;
  const text = request.body.toString();
  const content = /"tools"\s*:/.test(text) ? TOOL_USE : { type: "text", text: "Hello." };
  return /"stream"\s*:\s*true/.test(text) ? streamed(content) : whole(content);
}

/** An error as Anthropic writes it, with a request id of its own. */
export function anthropicError(status: number, message: string): object {
  const type = status === 429 ? "rate_limit_error" : status === 529 ? "overloaded_error" : "api_error";
  return { type: "error", error: { type, message }, request_id: "req_of_the_upstream" };
}

function whole(content: object & { type: string }): Answer {
  const usage = { ...USAGE, output_tokens: MESSAGE_TOKENS.output };
  return json(200, { ...message(content.type), content: [content], usage });
}

function message(contentType: string): object {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: CLAUDE,
    content: [],
    stop_reason: contentType === "tool_use" ? "tool_use" : "end_turn",
    stop_sequence: null,
  };
}

function streamed(content: typeof TOOL_USE | { type: string; text: string }): Answer {
  const pieces =
    "text" in content
      ? ["Hel", "lo."].map((text) => ({ type: "text_delta", text }))
      : ['{"city":', '"Oslo"}'].map((part) => ({ type: "input_json_delta", partial_json: part }));
  const start = "text" in content ? { type: "text", text: "" } : { ...content, input: {} };
  const begun = { ...message(content.type), stop_reason: null, usage: { ...USAGE, output_tokens: 1 } };
  const ended = { stop_reason: "text" in content ? "end_turn" : "tool_use", stop_sequence: null };
  return messageEvents([
    { type: "message_start", message: begun },
    { type: "content_block_start", index: 0, content_block: start },
    { type: "ping" },
    ...pieces.map((delta) => ({ type: "content_block_delta", index: 0, delta })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: ended, usage: { output_tokens: MESSAGE_TOKENS.output } },
    { type: "message_stop" },
  ]);
}

/** Events named by their type, as Anthropic sends them. */
export function messageEvents(events: readonly { type: string; [member: string]: unknown }[]): Answer {
  const lines = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8" },
    body: Buffer.from(lines.join("")),
  };
}

/** At most two models a page, so that whoever wants them all has to turn pages. */
function modelPage(models: readonly string[], query: URLSearchParams): Answer {
  const after = query.get("after_id");
  const from = after === null ? 0 : models.indexOf(after) + 1;
  const data = models.slice(from, from + 2).map((id) => ({
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-01T00:00:00Z",
  }));
  return json(200, {
    data,
    has_more: from + 2 < models.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  });
}

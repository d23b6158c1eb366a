import { type Answer, events, json, UPSTREAM_MODEL } from "./upstream-answers.ts";

/** The call every upstream makes when it is offered a tool. */
export const TOOL_CALL = { name: "weather", input: { city: "Oslo" } };

const CALL_ID = "call_1";
/** Cut where a stream cuts it. */
const ARGUMENTS = ['{"city":', '"Oslo"}'];

/** A tool call of chat completions or of responses. */
export function openaiToolCall(path: string, streamed: boolean): Answer {
  if (path === "/v1/responses")
    return streamed ? responseEvents() : json(200, response([functionCall("completed")]));
  const common = { id: "chatcmpl-1", created: 0, model: UPSTREAM_MODEL };
  const call = (text: string) => ({
    id: CALL_ID,
    type: "function",
    function: { name: TOOL_CALL.name, arguments: text },
  });
  if (!streamed) {
    const message = { role: "assistant", content: null, tool_calls: [call(ARGUMENTS.join(""))] };
    return json(200, {
      ...common,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "tool_calls" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  }
  const chunk = (delta: object, finishReason: string | null = null) => ({
    ...common,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
  return events([
    chunk({ role: "assistant", tool_calls: [{ index: 0, ...call("") }] }),
    ...ARGUMENTS.map((part) => chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
    chunk({}, "tool_calls"),
    "[DONE]",
  ]);
}

function functionCall(status: string): object {
  return {
    id: "fc_1",
    type: "function_call",
    call_id: CALL_ID,
    name: TOOL_CALL.name,
    arguments: status === "completed" ? ARGUMENTS.join("") : "",
    status,
  };
}

function response(output: readonly object[]): object {
  return {
    id: "resp_1",
    object: "response",
    created_at: 0,
    model: UPSTREAM_MODEL,
    status: output.length === 0 ? "in_progress" : "completed",
    output,
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  };
}

function responseEvents(): Answer {
  const at = { item_id: "fc_1", output_index: 0 };
  const done = functionCall("completed");
  const list = [
    { type: "response.created", response: response([]) },
    { type: "response.output_item.added", output_index: 0, item: functionCall("in_progress") },
    ...ARGUMENTS.map((delta) => ({ type: "response.function_call_arguments.delta", ...at, delta })),
    { type: "response.function_call_arguments.done", ...at, arguments: ARGUMENTS.join("") },
    { type: "response.output_item.done", output_index: 0, item: done },
    { type: "response.completed", response: response([done]) },
  ];
  const lines = list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return { ...events([]), body: Buffer.from(lines.join("")) };
}

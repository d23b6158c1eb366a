import OpenAI from "openai";
import { type Ask, type Client, className, installed, TOOL, type ToolCall } from "./client.ts";

const clientOf = ({ url, key, maxRetries }: Ask) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: maxRetries ?? 0 });
const messages = [{ role: "user" as const, content: "hello" }];
const tools = [
  {
    type: "function" as const,
    function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema },
  },
];
const toolCall = (name = "", text = ""): ToolCall => ({ name, input: JSON.parse(text) });

/** The official OpenAI client. */
export const openai: Client = {
  name: installed("openai"),
  dialect: "openai",
  async chat(ask) {
    const body = { model: ask.model, messages };
    const answer = await clientOf(ask).chat.completions.create(body);
    return answer.choices[0]?.message.content ?? "";
  },
  async *stream(ask) {
    const body = { model: ask.model, messages, stream: true as const };
    const options = ask.signal === undefined ? {} : { signal: ask.signal };
    for await (const chunk of await clientOf(ask).chat.completions.create(body, options)) {
      const text = chunk.choices[0]?.delta.content;
      if (text) yield text;
    }
  },
  async tool(ask) {
    const answer = await clientOf(ask).chat.completions.create({ model: ask.model, messages, tools });
    const call = answer.choices[0]?.message.tool_calls?.[0];
    return call?.type === "function" ? toolCall(call.function.name, call.function.arguments) : toolCall();
  },
  async streamedTool(ask) {
    const stream = clientOf(ask).chat.completions.stream({ model: ask.model, messages, tools });
    const call = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
    return call?.type === "function" ? toolCall(call.function.name, call.function.arguments) : toolCall();
  },
  async embed(ask) {
    const body = { model: ask.model, input: "hello", encoding_format: "float" as const };
    return (await clientOf(ask).embeddings.create(body)).data[0]?.embedding ?? [];
  },
  models: async (ask) => (await Array.fromAsync(clientOf(ask).models.list())).map(({ id }) => id),
  kindOf: className,
  errors: {
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
  },
  retries: true,
  obeysShouldRetry: true,
};

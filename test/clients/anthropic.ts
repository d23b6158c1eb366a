import Anthropic from "@anthropic-ai/sdk";
import { type Ask, type Client, className, installed, TOOL, type ToolCall } from "./client.ts";

const clientOf = ({ url, key, maxRetries }: Ask) =>
  new Anthropic({ baseURL: url, apiKey: key, maxRetries: maxRetries ?? 0 });
const bodyOf = ({ model }: Ask) => ({
  model,
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "hello" }],
});
const tools = [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.schema }];

function callIn(message: Anthropic.Message | Anthropic.Beta.BetaMessage): ToolCall {
  const block = message.content.find(({ type }) => type === "tool_use");
  return block?.type === "tool_use"
    ? { name: block.name, input: block.input }
    : { name: "", input: undefined };
}

/** The official Anthropic client. */
export const anthropic: Client = {
  name: installed("@anthropic-ai/sdk"),
  dialect: "anthropic",
  async chat(ask) {
    const { content } = await clientOf(ask).messages.create(bodyOf(ask));
    return content.map((block) => (block.type === "text" ? block.text : "")).join("");
  },
  async *stream(ask) {
    const options = ask.signal === undefined ? {} : { signal: ask.signal };
    for await (const event of await clientOf(ask).messages.create({ ...bodyOf(ask), stream: true }, options))
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") yield event.delta.text;
  },
  tool: async (ask) => callIn(await clientOf(ask).messages.create({ ...bodyOf(ask), tools })),
  streamedTool: async (ask) =>
    callIn(
      await clientOf(ask)
        .messages.stream({ ...bodyOf(ask), tools })
        .finalMessage(),
    ),
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
